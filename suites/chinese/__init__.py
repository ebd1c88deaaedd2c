"""Chinese: idioms, sayings, spelling, statutes, and what a model thinks of people in China."""
