"""What all perturbations share: a text has sites that can be edited, and severity says how many are."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import ClassVar

from rapidfuzz.distance import Levenshtein
from typing_extensions import override

from harness.core.perturbations import MAX_SEVERITY, Perturbation

__all__ = ["HAN", "LABEL", "LETTERS", "OPTION", "PLACEHOLDER", "Edits", "Site", "checked", "single_edits"]

PLACEHOLDER = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\{[^{}\n]*\}|<[^<>\n]+>|%\(\w+\)[a-z]|%[-+#0-9.]*[sdifgrx]|\$\w+"
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"  # the number of a bank account (IBAN)
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{6,}\b"  # a code of letters and figures
)
"""What stands for something else, or leads somewhere: a change of it is no noise but another thing."""

LABEL = re.compile(r"(?m)^[ \t]*(?:[A-Z][A-Za-z ]{0,24}:(?=\s|\Z)|[\u4e00-\u9fff]{1,8}：)")
"""A label at the beginning of a line, such as `Question:`."""

OPTION = re.compile(r"(?m)^[ \t]*\(?[A-Z][.):][ \t].*$")
"""A lettered option, whose text may be the gold answer."""

LETTERS = re.compile(r"[A-Za-z]{3,}")
"""Words long enough to stay readable with a letter changed."""

HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Site:
    """A place from `start` to `end`, in characters, and the texts that can stand there instead."""

    start: int
    end: int
    options: tuple[str, ...]


class Edits(Perturbation):
    """A perturbation that edits some of a text's sites, each once: `share` of them for each step of severity.

    At least one is edited from severity 1 on where there is any. With the same generator, a higher severity makes all
    edits of a lower one and more.
    """

    name: str
    share: ClassVar[float] = 0.1
    kept: ClassVar[Sequence[re.Pattern[str]]] = (PLACEHOLDER, LABEL, OPTION)

    @abstractmethod
    def sites(self, text: str) -> Iterable[Site]:
        """Sites that don't overlap, from left to right."""

    @override
    def perturb(self, text: str, rng: Random, severity: int) -> str:
        sites = self._free(text)
        order = rng.sample(range(len(sites)), len(sites))
        picked = [(index, rng.choice(sites[index].options)) for index in order]
        for index, option in sorted(picked[: self._count(sites, severity)], reverse=True):
            text = text[: sites[index].start] + option + text[sites[index].end :]
        return text

    @override
    def limit(self, text: str, severity: int) -> int:
        """The costliest options of the costliest sites, as many as are edited."""
        sites = self._free(text)
        costs = sorted(
            max(Levenshtein.distance(text[site.start : site.end], option) for option in site.options) for site in sites
        )
        return sum(costs[len(costs) - self._count(sites, severity) :])

    def _count(self, sites: Sequence[Site], severity: int) -> int:
        return ceil(round(self.share * checked(severity) * len(sites), 9))

    def _free(self, text: str) -> list[Site]:
        """The sites with something to put there, none of which touches what is kept."""
        kept = [found.span() for pattern in self.kept for found in pattern.finditer(text)]
        offered = (
            Site(site.start, site.end, tuple(one for one in site.options if one != text[site.start : site.end]))
            for site in self.sites(text)
        )
        return [site for site in offered if site.options and not any(_touches(site, *span) for span in kept)]


def checked(severity: int) -> int:
    """The severity. Raises `ValueError` for one outside 0 to 5."""
    if not 0 <= severity <= MAX_SEVERITY:
        raise ValueError(f"{severity} is no severity: they run from 0 to {MAX_SEVERITY}")
    return severity


def single_edits(word: str, parts: Iterable[tuple[int, int, str]]) -> tuple[str, ...]:
    """The word with one of its parts replaced, for each part given as start, end and what comes there."""
    return tuple(dict.fromkeys(word[:start] + new + word[end:] for start, end, new in parts))


def _touches(site: Site, start: int, end: int) -> bool:
    if site.start == site.end:
        return start < site.start < end
    return site.start <= end and start <= site.end
