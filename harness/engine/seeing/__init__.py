"""How a causal model reads pictures: each is encoded once, and stands in texts as tokens of its own."""
