"""Whether answers survive noise in what is read."""
