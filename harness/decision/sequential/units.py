"""Samples in the order in which they were asked, as the values that a bet is made on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import RecordError
from harness.core.scores import Score
from harness.core.text.hashing import digest
from harness.record import RunRecord
from harness.record.seal import ORDER

__all__ = ["Order", "Place", "drawn_counts", "draws", "unit_means"]

Values = NDArray[np.float64]

Place = tuple[str, str]
"""Suite and task."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """When each sample was asked about.

    `looks` has, for each look, the ids of the samples that each (suite, task) had by then. Those that came together are
    ordered by a digest of the seed and their id, which hangs on nothing that the model says. `sizes` are how many
    samples the data of a task have altogether, where that is known and all of them may be asked. `prompts` are digests
    of all that a task could have been asked about the samples that these are drawn from.
    """

    seed: int
    looks: Sequence[Mapping[Place, frozenset[str]]]
    sizes: Mapping[Place, int]
    prompts: Mapping[Place, str] = field(default_factory=dict)

    @classmethod
    def of(cls, record: RunRecord) -> "Order | None":
        """That of a run which ended as soon as a policy was decided; None of a run whose size was fixed.

        Raises `RecordError` where the record says it in no way that can be read.
        """
        told = record.order
        if told is None:
            return None
        try:
            looks: list[dict[Place, frozenset[str]]] = []
            for look in told["looks"]:
                before = looks[-1] if looks else {}
                new = {(one["suite"], one["task"]): frozenset(map(str, one["samples"])) for one in look}
                looks.append({**before, **{place: before.get(place, frozenset()) | ids for place, ids in new.items()}})
            sizes = {(one["suite"], one["task"]): int(one["sample_count"]) for one in told["sizes"]}
            prompts = {(one["suite"], one["task"]): str(one["requests_sha256"]) for one in told.get("prompts", ())}
            return cls(seed=record.spec.seed, looks=looks, sizes=sizes, prompts=prompts)
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(
                "is not an order of samples", place=record.folder / ORDER, fix="`harness verify` says what was changed"
            ) from error

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values: the samples that each look added."""
        looks = []
        before: Mapping[Place, frozenset[str]] = {}
        for look in self.looks:
            new = {place: sorted(ids - before.get(place, frozenset())) for place, ids in look.items()}
            looks.append(
                [{"suite": suite, "task": task, "samples": ids} for (suite, task), ids in sorted(new.items()) if ids]
            )
            before = look
        sizes = [
            {"suite": suite, "task": task, "sample_count": count} for (suite, task), count in sorted(self.sizes.items())
        ]
        prompts = [
            {"suite": suite, "task": task, "requests_sha256": sha256} for (suite, task), sha256 in self.prompts.items()
        ]
        return {"looks": looks, "sizes": sizes, "prompts": prompts}

    def ranked(self, suite: str, task: str, samples: Sequence[str]) -> list[str]:
        """The samples in order."""

        def rank(sample: str) -> tuple[int, str]:
            first = next(
                (number for number, look in enumerate(self.looks) if sample in look.get((suite, task), ())),
                len(self.looks),
            )
            return first, digest([self.seed, suite, task, sample])

        return sorted(samples, key=rank)


def unit_means(scores: Sequence[Score], order: Sequence[str]) -> Values | None:
    """The mean of each sample's values, in that order; None where samples have different numbers of values.

    Then the mean over all values would not be that of the samples' means.
    """
    by_sample: dict[str, list[float]] = {}
    for score in scores:
        by_sample.setdefault(score.sample_id, []).append(score.value or 0.0)
    if len({len(values) for values in by_sample.values()}) > 1:
        return None
    return np.array([np.mean(by_sample[sample]) for sample in order if sample in by_sample])


def draws(tasks: Sequence[Values], weights: Sequence[float], seed: int) -> Values:
    """One stream out of several tasks' whose mean is the weighted mean of theirs.

    At each step a task is drawn with a chance in proportion to its weight, by the seed alone, and gives its next value;
    it ends when the task that is drawn has none left. Without replacement within each task, the values vary less than
    independent ones.
    """
    taken = [0] * len(tasks)
    stream = []
    for task in _drawn(weights, sum(map(len, tasks)) + 1, seed):
        if taken[task] >= len(tasks[task]):
            break
        stream.append(tasks[task][taken[task]])
        taken[task] += 1
    return np.array(stream)


def drawn_counts(weights: Sequence[float], steps: int, seed: int) -> list[int]:
    """How often each task is drawn in the first `steps` steps of `draws`."""
    return [int(count) for count in np.bincount(_drawn(weights, steps, seed), minlength=len(weights))]


def _drawn(weights: Sequence[float], steps: int, seed: int) -> NDArray[np.intp]:
    """Which task is drawn at each step; more steps begin as fewer do."""
    shares = np.cumsum(weights) / np.sum(weights)
    chosen = np.searchsorted(shares, np.random.default_rng(seed).random(steps), side="right")
    return np.minimum(chosen, len(weights) - 1)
