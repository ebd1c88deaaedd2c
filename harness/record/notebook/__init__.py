"""A run as a notebook shows it: cards, charts, the meaning of columns."""
