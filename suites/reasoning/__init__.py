"""Reasoning and mathematics, in questions that are made afresh."""
