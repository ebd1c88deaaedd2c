"""What a model makes up, and whether it says so where it doesn't know."""
