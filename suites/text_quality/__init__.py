"""How well written texts match their references."""
