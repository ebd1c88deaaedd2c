"""What a model knows, and what its sure mistakes cost, by field of use."""
