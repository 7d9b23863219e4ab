"""Marshmallow schemas, one file per noun."""
