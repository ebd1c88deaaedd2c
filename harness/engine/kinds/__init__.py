"""One kind of model a file: how it answers requests."""
