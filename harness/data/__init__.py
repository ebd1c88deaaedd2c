"""The data catalogue and the sources that fill it."""
