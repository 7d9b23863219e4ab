"""Runs every measurement of this package and prints one Markdown table."""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
from importlib.metadata import version
from pathlib import Path

import benchmarks.performance
from benchmarks.performance.table import Row, markdown
from runtime.logs import configure_logs


def machine() -> str:
    """Processor, cores and the versions that decide the figures."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "onnxruntime"))
    cores = f"{os.cpu_count()} cores"
    return f"{_processor()}, {cores}, Python {platform.python_version()}, {libraries}"


def rows() -> list[Row]:
    """What every module of the package with ``run()`` measures, in the modules' order."""
    names = [found.name for found in pkgutil.iter_modules(benchmarks.performance.__path__)]
    measured: list[Row] = []
    for name in sorted(set(names) - {"__main__", "serving", "table"}):
        run = getattr(importlib.import_module(f"benchmarks.performance.{name}"), "run", None)
        measured += run() if run else []
    return measured


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


if __name__ == "__main__":
    configure_logs(level="warning", format="console")
    print(markdown(rows(), machine=machine()))
