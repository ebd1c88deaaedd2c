"""Explains a model's decisions, and measures how far the explanations can be believed."""
