"""Whether the model calls the functions that it is given as it should, and none where none fits."""
