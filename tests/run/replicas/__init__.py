"""Workers that share a run."""
