"""Swaps first names in any text for others of the same gender."""

import re
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from random import Random

import yaml

from harness.core.text.hashing import digest

__all__ = ["NameSwap"]


class NameSwap:
    """Exchanges every known first name of a text for one that is heard as of another origin, the gender kept.

    English names only, after lists used in audits of hiring (Bertrand and Mullainathan, 2004); the rows are ours. One
    text, one generator, one result; the same name becomes the same name everywhere in it.
    """

    name = "names"

    @cached_property
    def _rows(self) -> Mapping[str, tuple[str, ...]]:
        listed = yaml.safe_load(files("probes.bias").joinpath("names.yaml").read_text(encoding="utf-8"))
        return {name: tuple(row) for rows in listed.values() for row in rows for name in row}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"\b({'|'.join(map(re.escape, sorted(self._rows)))})\b")

    @property
    def version(self) -> str:
        """Digest of the names."""
        return digest({name: list(row) for name, row in self._rows.items()})

    def mapping(self, text: str, rng: Random) -> Mapping[str, str]:
        """Which name of the text becomes which; empty where none is known.

        No two names become the same, nor one that stands in the text already.
        """
        present = list(dict.fromkeys(self._pattern.findall(text)))
        swapped: dict[str, str] = {}
        for name in present:
            free = [other for other in self._rows[name] if other not in present and other not in swapped.values()]
            if free:
                swapped[name] = rng.choice(free)
        return swapped

    def apply(self, text: str, mapping: Mapping[str, str]) -> str:
        """The text with its names exchanged."""
        return self._pattern.sub(lambda found: mapping.get(found[0], found[0]), text)
