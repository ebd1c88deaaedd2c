"""What a model sees in pictures."""
