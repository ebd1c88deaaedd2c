"""What answers cost in energy."""
