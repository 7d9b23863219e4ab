"""Simulated benchmarks: experiments through the service's own functions, with paired seeds."""
