"""Verdicts that may be asked for after every sample: which units a number is of, in which order, and what is sure."""
