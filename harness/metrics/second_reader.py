"""A second reader of answers in maths, beside our strict rules: the library math-verify, where it is installed.

It reads LaTeX and words, and decides by algebra, with a stranger's grammar and sympy behind it: so each verdict is made
in a copy of this process, with bounds on time and memory, and without one it is simply missing.
"""

import importlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib import metadata
from random import Random

from typing_extensions import override

from harness.core.metrics import Mean, Undefined
from harness.core.process.isolation import StepFailed, attempt_apart
from harness.core.process.time_limit import OverLimit, time_limit
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval

__all__ = ["DISAGREEMENT", "SecondVerdict", "second_verdict", "unavailable"]

_LIBRARY = "math-verify"
_LONGEST = 4000
"""Characters at the end of a text that are read: an answer stands there, and reading costs more than in proportion."""
_CPU_S = 2.0
_WALL_S = 20.0
_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondVerdict:
    """Whether the second reader says that an answer is right, and what it read; `fault` where it says nothing."""

    is_right: bool | None
    read: str = ""
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class SecondReading(Mean):
    """A mean over answers with a verdict; absent, with the reason, where the library isn't installed."""

    @property
    @override
    def signature(self) -> str:
        return f"{_LIBRARY}:{_version() or 'none'}"

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        if all(score.value is None for score in scores):
            raise Undefined(unavailable() or "it was read on a machine without the second reader")
        return super().reduce(scores, rng, confidence)


DISAGREEMENT = SecondReading(
    name="extractor_disagreement",
    unit="share",
    direction="lower",
    lowest=0.0,
    highest=1.0,
    source="disagreement of two readers, as inter-annotator disagreement; the second is math-verify (Kydlíček, 2024)",
    meaning="""
    In [0, 1]: share of finished answers on which our strict rules and the library math-verify don't agree whether they
    are right: the instrument's own error, not the model's. A difference between models that is smaller than it may be
    one of format. Samples show every such answer (`math-verify: right`). Cut answers, and those on which the library
    gave up, are left out. Absent where it isn't installed.
    """,
)


def unavailable() -> str | None:
    """Why there is no second reader here; None where there is."""
    if _version() is None:
        return "the library math-verify isn't installed: `pip install responsible-eval-harness[maths]`"
    return None if _loaded() else "the library math-verify can't be imported: see `python -c 'import math_verify'`"


@lru_cache(maxsize=4096)
def second_verdict(text: str, gold: str) -> SecondVerdict:
    """What math-verify says of an answer; `gold` is a number or a formula, as LaTeX has it.

    The last 4,000 characters are read, within 2 s on the processor and 512 MB. Call it where `unavailable` says
    nothing.
    """
    try:
        return attempt_apart(partial(_judged, text[-_LONGEST:], gold), timeout_s=_WALL_S)
    except StepFailed as failed:
        return SecondVerdict(is_right=None, fault=str(failed))


def _judged(text: str, gold: str) -> SecondVerdict:
    from math_verify import parse, verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)  # that its own limits are off: ours are on
    try:
        with time_limit(_CPU_S, _MEMORY_BYTES):
            found = parse(text, parsing_timeout=None, raise_on_error=True)
            truth = parse(f"${gold}$", parsing_timeout=None, raise_on_error=True)
            right = verify(truth, found, timeout_seconds=None, raise_on_error=True)
            return SecondVerdict(is_right=bool(right), read=str(found[-1])[:80] if found else "")
    except OverLimit as over:
        return SecondVerdict(is_right=None, fault=str(over))


@cache
def _version() -> str | None:
    try:
        return metadata.version(_LIBRARY)
    except metadata.PackageNotFoundError:
        return None


@cache
def _loaded() -> bool:
    """Whether it can be used; its grammar is read here, once, and not again in each copy of this process."""
    try:
        importlib.import_module("math_verify").parse(r"$\frac{1}{2}$")
    except ImportError:
        return False
    return True
