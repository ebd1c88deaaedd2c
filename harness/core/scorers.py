"""The contracts of instruments that judge a text: by itself, such as how toxic it is, or beside another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["Match", "TextMatcher", "TextScorer", "UsesMatcher", "UsesToxicity"]


class TextScorer(Protocol):
    """Gives each text a number. The same text always gets the same one, but for rounding, whatever stands beside it.

    `languages` holds the codes of the languages that it was made for; it is empty where nobody says. From `threshold`
    on a text counts as having what the scorer looks for.
    """

    name: str
    languages: Sequence[str]
    threshold: float

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, version and all else that decides the numbers, as JSON values; it becomes part of a run's spec."""
        ...

    def score(self, texts: Sequence[str]) -> Sequence[float]:
        """One number a text, in their order; 0 for a text without a letter. Raises `HarnessError` where it can't."""
        ...


@runtime_checkable
class UsesToxicity(Protocol):
    """A task whose scores a toxicity scorer enters."""

    def use_toxicity(self, scorer: TextScorer) -> None:
        """Score with another scorer than the task's own from here on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How far a written text is in its reference (`precision`), and this in that (`recall`), with their mean `f1`."""

    precision: float
    recall: float
    f1: float


class TextMatcher(Protocol):
    """Says how alike a written text and its reference are; the same two always alike, whatever stands beside them."""

    name: str

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the numbers, as JSON values.

        Among them `fingerprint` and `layer` of a checkpoint, and `long`: how it reads what its window can't hold.
        """
        ...

    def match(self, written: str, reference: str) -> Match:
        """Each at most 1, which is best; 0 for a text without a token. Raises `HarnessError` where it can't."""
        ...


@runtime_checkable
class UsesMatcher(Protocol):
    """A task that compares what is written with a reference."""

    def use_matcher(self, matcher: TextMatcher) -> None:
        """Compare by this too from here on."""
        ...
