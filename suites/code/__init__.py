"""Whether programs that the model writes do what was asked."""
