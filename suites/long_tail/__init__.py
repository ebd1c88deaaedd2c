"""How a model does on what is rare, long or new, on the questions of other suites."""
