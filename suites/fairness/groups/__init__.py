"""Decisions on people, compared by group."""
