"""The contracts of instruments that disturb what a model is asked, and what they may touch."""

import re
from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.core.media import OBJECT
from harness.core.requests import (
    Classify,
    GenerateUntil,
    Loglikelihood,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
)
from harness.core.tasks import Sample

__all__ = [
    "MAX_SEVERITY",
    "READ",
    "Perturbation",
    "PicturePerturbation",
    "Pixels",
    "SamplePerturbation",
    "Swap",
    "answer_spans",
    "common_beginning",
    "own_start",
    "own_text",
]

MAX_SEVERITY = 5

READ: Mapping[type[Request], str] = MappingProxyType(
    {
        Loglikelihood: "context",
        GenerateUntil: "context",
        MultimodalLoglikelihood: "context",
        MultimodalGenerateUntil: "context",
        Classify: "text",
    }
)
"""The field of each kind of request that holds the text to disturb."""


class Perturbation(Protocol):
    """One kind of noise in a text. Registered in the entry-point group `harness.perturbations`.

    The result is decided by text, generator and severity alone. Placeholders (`{0}`, `%s`, `<b>`, addresses of pages
    and of mail) survive as they are, and so do a label at the beginning of a line (`Answer:`) and the lettered options
    of a question, but for a perturbation that is about them. What a text has nothing of is left unchanged: a
    perturbation of Chinese applies to no English text.
    """

    name: str

    def perturb(self, text: str, rng: Random, severity: int) -> str:
        """The text disturbed; unchanged at severity 0. Raises `ValueError` for a severity outside 0 to 5."""
        ...

    def limit(self, text: str, severity: int) -> int:
        """The largest edit distance (Levenshtein, in characters) of what `perturb` may give from the text."""
        ...


@runtime_checkable
class SamplePerturbation(Protocol):
    """One kind of noise in how a sample is asked, which no edit of its text alone can be.

    Registered in the entry-point group `harness.sample_perturbations`. The result is decided by sample, requests,
    generator and severity alone. It has one request for each of those asked, about the same choice, in the same order,
    so that whatever scored the answers to these scores the answers to it; exemplars stay as they are.
    """

    @property
    def name(self) -> str:
        """What it goes by."""
        ...

    @property
    def on_embeddings(self) -> bool:
        """Whether its requests bear noise on embeddings, which a served model can't be asked."""
        ...

    def disturb(self, sample: Sample, asked: Sequence[Request], rng: Random, severity: int) -> Sequence[Request]:
        """The requests disturbed; equal to those asked at severity 0, and where the sample has nothing to disturb.

        Raises `ValueError` for a severity outside 0 to 5.
        """
        ...


Pixels = NDArray[np.float64]
"""Of shape (height, width, 3): red, green and blue from 0 to 1."""


@runtime_checkable
class PicturePerturbation(Protocol):
    """One kind of noise in a picture. Registered in the entry-point group `harness.picture_perturbations`.

    The result is decided by pixels, generator and severity alone, and shows what the picture shows: whoever sees it
    would answer as before.
    """

    name: str

    def corrupt(self, pixels: Pixels, rng: np.random.Generator, severity: int) -> Pixels:
        """The picture disturbed, of the same shape; unchanged at severity 0.

        Raises `ValueError` for a severity outside 0 to 5.
        """
        ...


class Swap(Protocol):
    """Exchanges words of a text that name a person. Registered in the entry-point group `harness.swaps`."""

    @property
    def version(self) -> str:
        """Digest of all that decides what is exchanged."""
        ...

    def mapping(self, text: str, rng: Random) -> Mapping[str, str]:
        """Which word of the text becomes which; empty where there is none to exchange."""
        ...

    def apply(self, text: str, mapping: Mapping[str, str]) -> str:
        """The text with its words exchanged."""
        ...


def own_start(sample: Sample, text: str) -> int:
    """Where in a prompt the text of a sample begins: after the exemplars, and after its last picture or sound."""
    return max(sample.question_start, text.rfind(OBJECT) + 1)


def own_text(sample: Sample, asked: Sequence[Request]) -> str:
    """What all requests of a sample begin with after the exemplars and the media, in whole words."""
    texts = [str(getattr(request, READ[type(request)])) for request in asked]
    common = common_beginning(texts)
    if len(max(texts, key=len)) > len(common):
        common = common[: max(common.rfind(" "), common.rfind("\n")) + 1]
    return common[own_start(sample, common) :]


def answer_spans(text: str, sample: Sample) -> list[tuple[int, int]]:
    """Start and end of each place where a text names a choice or the gold answer of a sample, in whole words.

    A single letter is the name of an option, and too common a word to be looked for.
    """
    answers = [*sample.choices, *([sample.gold] if isinstance(sample.gold, str) else [])]
    names = sorted({one for one in answers if len(one) > 1 or one.isdigit()}, key=lambda one: (-len(one), one))
    if not names:
        return []
    pattern = rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z0-9])"
    return [found.span() for found in re.finditer(pattern, text)]


def common_beginning(texts: Sequence[str]) -> str:
    """What all of at least one text begin with."""
    # Where the first and the last in alphabetical order agree, all do.
    first, last = min(texts), max(texts)
    parting = (at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(parting, len(first))]
