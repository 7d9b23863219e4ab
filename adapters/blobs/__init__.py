"""Artefacts by their hash over fsspec; import ``files`` where it is needed."""
