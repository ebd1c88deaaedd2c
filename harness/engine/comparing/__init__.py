"""Two models side by side: what one makes of a text, held against what the other does."""
