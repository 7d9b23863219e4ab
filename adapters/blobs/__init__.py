"""Content-addressed artefacts; import ``files`` where they are needed."""
