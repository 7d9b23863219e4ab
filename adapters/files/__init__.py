"""Rows in and out of CSV, JSON Lines and Parquet files."""

from __future__ import annotations

from adapters.files.reading import FileReader, read_rows, sniff_format
from adapters.files.writing import FileWriter, write_csv, write_jsonl

__all__ = ["FileReader", "FileWriter", "read_rows", "sniff_format", "write_csv", "write_jsonl"]
