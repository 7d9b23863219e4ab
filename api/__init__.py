"""Speaks HTTP: the only importer of flask and marshmallow."""
