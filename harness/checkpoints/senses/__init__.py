"""How sounds become the numbers that a model reads, by the files of its checkpoint."""
