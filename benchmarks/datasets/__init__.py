"""Data sets by name: where they come from, how they are read, and which rows are set aside."""
