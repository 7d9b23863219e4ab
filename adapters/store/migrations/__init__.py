"""The schema's history; revisions are appended, never edited."""
