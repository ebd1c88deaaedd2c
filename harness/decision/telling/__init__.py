"""What a rule says for people: one sentence, and the command that would settle what is open."""
