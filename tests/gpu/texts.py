"""Texts that differ by a seed."""

WORDS = ["the", "committee", "met", "on", "Tuesday", "to", "discuss", "energy", "water", "and", "schools"]


def text(seed, length):
    return " ".join(WORDS[(seed * 31 + step * (seed + 7)) % len(WORDS)] for step in range(length))
