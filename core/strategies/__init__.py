"""Query strategies: given the pool's arrays, which rows should be labelled next."""
