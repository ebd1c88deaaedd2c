"""Models that are served, and how far a server's word is taken."""
