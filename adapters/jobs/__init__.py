"""Durable jobs over DBOS, and the same contract inline; import the modules where needed."""
