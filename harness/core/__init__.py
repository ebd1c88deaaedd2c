"""The vocabulary of the harness: types, protocols, registry, hashing, errors, statistics. No torch here."""
