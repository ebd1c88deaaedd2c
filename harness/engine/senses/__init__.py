"""How a causal model sees or hears: each medium is encoded once, and stands in texts as tokens of its own."""
