"""Touches the world: disk, network and weights; the sub-packages do not know one another."""
