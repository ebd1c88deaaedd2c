"""A run, from the questions that are asked to the scores in its record."""
