"""What a run has before it: what it fetches, how much it reads and writes, and how long that takes here."""
