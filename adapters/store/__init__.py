"""The store over SQLite or PostgreSQL; import ``store`` and ``migrate`` where they are needed."""
