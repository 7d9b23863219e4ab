"""Tailwise's decisions: records, selection, screening and the verbs of a round; no I/O."""
