"""Curves over the number of exemplars."""
