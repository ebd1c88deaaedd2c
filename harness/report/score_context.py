"""The columns that say where a score stands: what guessing gives, the baseline, and the best there can be."""

from collections.abc import Sequence
from typing import Literal

from harness.core.scores import Estimate
from harness.core.text.display import aim, number
from harness.decision.context import Word
from harness.decision.keys import key_of
from harness.report.blocks import Column, Note
from harness.report.context import ReportContext

__all__ = ["best", "context_cells", "context_columns", "context_note"]


def context_columns(context: ReportContext, estimates: Sequence[Estimate], *, spacious: bool = False) -> list[Column]:
    """A column for chance and one for the baseline, each where any of the scores has something for it.

    A `spacious` table has room for both with their words on one line.
    """
    has_chance, has_baseline = _known(context, estimates)
    # Side by side they leave names no room on one line: there each word goes below its number.
    kind: Literal["words", "short"] = "words" if has_chance and has_baseline and not spacious else "short"
    chance = [Column(title=context.words("chance"), width=1.1, kind=kind)] if has_chance else []
    baseline = [Column(title=context.words("baseline"), width=1.1, kind=kind)] if has_baseline else []
    return chance + baseline


def context_cells(context: ReportContext, estimates: Sequence[Estimate], one: Estimate) -> list[str]:
    """What stands in these columns of one of the scores: a number and its word."""
    found = context.contexts[key_of(one)]
    has_chance, has_baseline = _known(context, estimates)
    chance = [_said(context, found.chance, found.than_chance)] if has_chance else []
    baseline = [_said(context, found.baseline, found.than_baseline)] if has_baseline else []
    return chance + baseline


def context_note(context: ReportContext, estimates: Sequence[Estimate]) -> list[Note]:
    """How the columns are to be read; nothing where there are none."""
    words, (has_chance, has_baseline) = context.words, _known(context, estimates)
    told = [words("chance: what guessing would score")] if has_chance else []
    told += [words("baseline: run {run}", run=context.baseline.run_id)] if has_baseline and context.baseline else []
    if not told:
        return []
    told.append(
        words("better and worse are beyond doubt, by a test at 5 % with Holm's correction; can't tell: all else")
    )
    return [Note(text=words("; ").join(told) + words(". ").strip())]


def best(context: ReportContext, one: Estimate) -> str:
    """Which way is better with the best there can be, or the target."""
    return aim(one.direction, one.target, context.contexts[key_of(one)].optimum)


def _known(context: ReportContext, estimates: Sequence[Estimate]) -> tuple[bool, bool]:
    found = [context.contexts[key_of(one)] for one in estimates]
    return any(one.chance is not None for one in found), any(one.baseline is not None for one in found)


def _said(context: ReportContext, value: float | None, word: Word | None) -> str:
    return " ".join(filter(None, [number(value), word and context.words(word)]))
