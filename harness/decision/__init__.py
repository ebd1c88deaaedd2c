"""From scores to decisions: what differs between runs, and whether a checkpoint may pass."""
