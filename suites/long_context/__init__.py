"""Does the model use its window: what it finds, follows and sums up in long texts."""
