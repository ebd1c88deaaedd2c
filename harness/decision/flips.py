"""Samples that one run gets right and the other wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.core.pairing import pair
from harness.decision.keys import Key
from harness.decision.scored import Scored

__all__ = ["Flip", "first_of_each_task", "flips", "meant", "said"]

_SHOWN = 300
"""Characters of a prompt's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One sample that one run alone has right: `gained` says that it is the second.

    `gold` is what was expected, `first` and `second` what each run predicted, where the task says: the text of a choice
    rather than its number. `prompt` is the end of what was asked.
    """

    suite: str
    task: str
    metric: str
    sample_id: str
    gained: bool
    gold: str | None
    first: str | None
    second: str | None
    prompt: str | None


def flips(first: Scored, second: Scored, keys: Sequence[Key]) -> list[Flip]:
    """The samples that changed in each of the metrics, in the order of the samples."""
    asked = _asked(second)
    return [flip for key in keys for flip in _of(first, second, key, asked)]


def meant(label: str | None, choices: Sequence[str]) -> int | None:
    """The place of the choice that a label means, by its number (from 0) or by its text; None where it means none."""
    if label is None:
        return None
    if label.isdecimal() and int(label) < len(choices) > 1:
        return int(label)
    return next((place for place, text in enumerate(choices) if label in (text, text.strip())), None)


def said(label: str | None, choices: Sequence[str]) -> str | None:
    """The choice that a number stands for; any other label is its own text."""
    place = meant(label, choices)
    return label if place is None or label is None or not label.isdecimal() else choices[place].strip()


def first_of_each_task(found: Sequence[Flip], most: int) -> list[Flip]:
    """At most so many flips of each task, in their order."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for flip in found:
        seen[flip.suite, flip.task] += 1
        if seen[flip.suite, flip.task] <= most:
            kept.append(flip)
    return kept


@dataclass(frozen=True, slots=True)
class _Asked:
    prompt: str
    choices: list[str]


def _of(first: Scored, second: Scored, key: Key, asked: dict[tuple[str, str, str], _Asked]) -> Iterator[Flip]:
    pairs, right = pair(first.scores[key], second.scores[key]), second.metric(key).right_value
    for one, other in zip(pairs.first, pairs.second, strict=True):
        if one is None or other is None or one.invalid or other.invalid:
            continue
        if one.value is None or other.value is None or {one.value, other.value} != {0.0, 1.0}:
            continue
        of_sample = asked.get((key.suite, key.task, one.sample_id))
        choices = of_sample.choices if of_sample else ()
        yield Flip(
            suite=key.suite,
            task=key.task,
            metric=key.metric,
            sample_id=one.sample_id,
            gained=other.value == right,
            gold=said(one.gold, choices),
            first=said(one.predicted, choices),
            second=said(other.predicted, choices),
            prompt=of_sample.prompt if of_sample else None,
        )


def _asked(run: Scored) -> dict[tuple[str, str, str], _Asked]:
    table = run.record.samples.sort_values("position", kind="stable")
    found: dict[tuple[str, str, str], _Asked] = {}
    columns = ("suite", "task", "sample_id", "context", "continuation")
    for suite, task, sample_id, context, continuation in zip(*(table[name] for name in columns), strict=True):
        choice = continuation if isinstance(continuation, str) else ""
        prompt = context if isinstance(context, str) else choice
        known = found.setdefault((suite, task, sample_id), _Asked(prompt[-_SHOWN:], []))
        known.choices.append(choice)
    return found
