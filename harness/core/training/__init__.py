"""What a model is trained on for a while, and what is asked of it then."""
