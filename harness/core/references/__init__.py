"""What is asked about a model and a second one that it is held against, the reference."""
