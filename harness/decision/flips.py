"""Samples that one run gets right and the other wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.decision.pairing import pair
from harness.decision.scored import Key, Scored

__all__ = ["Flip", "first_of_each_task", "flips"]

_SHOWN = 300
"""Characters of a prompt's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One sample whose score of 0 or 1 changed: `gained` says that it went up.

    `first` and `second` are what each run predicted, where the task says; `prompt` is the end of what was asked.
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
    prompts = _prompts(second)
    return [flip for key in keys for flip in _of(first, second, key, prompts)]


def first_of_each_task(found: Sequence[Flip], most: int) -> list[Flip]:
    """At most so many flips of each task, in their order."""
    seen: Counter[tuple[str, str]] = Counter()
    kept = []
    for flip in found:
        seen[flip.suite, flip.task] += 1
        if seen[flip.suite, flip.task] <= most:
            kept.append(flip)
    return kept


def _of(first: Scored, second: Scored, key: Key, prompts: dict[tuple[str, str, str], str]) -> Iterator[Flip]:
    pairs = pair(first.scores[key], second.scores[key])
    for one, other in zip(pairs.first, pairs.second, strict=True):
        if one is None or other is None or one.invalid or other.invalid:
            continue
        if one.value is None or other.value is None or {one.value, other.value} != {0.0, 1.0}:
            continue
        prompt = prompts.get((key.suite, key.task, one.sample_id))
        yield Flip(
            suite=key.suite,
            task=key.task,
            metric=key.metric,
            sample_id=one.sample_id,
            gained=other.value > one.value,
            gold=one.gold,
            first=one.predicted,
            second=other.predicted,
            prompt=prompt,
        )


def _prompts(run: Scored) -> dict[tuple[str, str, str], str]:
    table = run.record.samples
    asked = table[table["position"] == 0]
    text = asked["context"].where(asked["context"].notna(), asked["continuation"]).fillna("")
    places = zip(asked["suite"], asked["task"], asked["sample_id"], strict=True)
    return dict(zip(places, (shown[-_SHOWN:] for shown in text), strict=True))
