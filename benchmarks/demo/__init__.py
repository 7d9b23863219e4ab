"""The demonstration: the whole loop over HTTP, beside random selection, with a report."""
