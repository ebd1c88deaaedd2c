"""Slips of the fingers: neighbouring keys, exchanged letters, missing letters."""

from collections.abc import Iterator

from typing_extensions import override
from zxcvbn.adjacency_graphs import ADJACENCY_GRAPHS

from probes.perturbations.edits import LETTERS, Edits, Site, single_edits

__all__ = ["Deletions", "KeyboardTypos", "Swaps", "neighbours"]


def neighbours(letter: str) -> tuple[str, ...]:
    """Letters on the keys around a letter's on a QWERTY keyboard, as zxcvbn lays it out (Wheeler, 2016), case kept."""
    keys = [key for key in ADJACENCY_GRAPHS["qwerty"].get(letter, ()) if key and key.isalpha()]
    return tuple(key[letter.isupper()] for key in keys)


class KeyboardTypos(Edits):
    """One letter of a word becomes that of a neighbouring key; a distance of 1 each."""

    name = "keyboard_typos"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of three letters or more."""
        for found in LETTERS.finditer(text):
            parts = ((at, at + 1, key) for at, letter in enumerate(found[0]) for key in neighbours(letter))
            yield Site(*found.span(), single_edits(found[0], parts))


class Swaps(Edits):
    """Two letters side by side are exchanged, the first of the word left in place; a distance of 2 each."""

    name = "letter_swaps"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of three letters or more."""
        for found in LETTERS.finditer(text):
            word = found[0]
            parts = ((at, at + 2, word[at + 1] + word[at]) for at in range(1, len(word) - 1))
            yield Site(*found.span(), single_edits(word, parts))


class Deletions(Edits):
    """A word loses one letter, not its first; a distance of 1 each."""

    name = "letter_deletions"

    @override
    def sites(self, text: str) -> Iterator[Site]:
        """Words of three letters or more."""
        for found in LETTERS.finditer(text):
            yield Site(*found.span(), single_edits(found[0], ((at, at + 1, "") for at in range(1, len(found[0])))))
