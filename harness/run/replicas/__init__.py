"""Copies of one model in processes of a Ray cluster, which share the batches of a run."""
