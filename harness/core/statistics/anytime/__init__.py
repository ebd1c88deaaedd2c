"""Tests and bounds that hold at every moment: one may look as often as one likes, and stop when it is decided."""
