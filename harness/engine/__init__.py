"""Models: they turn requests into responses."""
