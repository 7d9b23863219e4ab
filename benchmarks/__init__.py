"""Experiments and measurements that drive the service or its functions."""
