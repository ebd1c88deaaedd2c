"""What a model gives away of what it was trained on."""
