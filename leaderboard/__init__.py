"""Checkpoints side by side: queries over sealed records."""
