"""Measurements side by side with other tools: ratios, never tests."""
