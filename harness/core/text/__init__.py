"""Texts, numbers and bytes, as they are read and written."""
