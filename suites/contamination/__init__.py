"""Whether a checkpoint may have been trained on what it is asked."""
