"""What harm written texts do, and what is declined."""
