"""Tiny checkpoints that see, for tests: random ones, and one that was trained."""
