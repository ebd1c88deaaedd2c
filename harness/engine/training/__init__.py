"""Models that are trained on a few rows before they are asked, and are then as they were."""
