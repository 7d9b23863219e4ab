"""Routes, one file per noun or verb."""
