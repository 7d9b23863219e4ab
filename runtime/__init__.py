"""Wires: settings, construction, processes and the command line."""
