"""How far a checkpoint is from the one that it was made from."""
