"""Metrics that tasks of several dimensions share."""
