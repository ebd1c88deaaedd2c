"""How faithfully a decision can be explained by its input."""
