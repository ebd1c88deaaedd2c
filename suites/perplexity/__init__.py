"""How well texts are predicted."""
