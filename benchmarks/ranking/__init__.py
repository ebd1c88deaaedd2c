"""How many questions it takes to tell which of several checkpoints is the best, in simulation."""
