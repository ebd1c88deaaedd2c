"""`check_task` can fail: tasks that break one promise each, and the words that say which."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from harness.core.requests import Classify, Loglikelihood
from harness.core.scores import Score
from harness.core.statistics import Interval
from harness.core.tasks import Task
from harness.metrics.standard import ACC
from harness.tasks.choices import MultipleChoice
from harness.testing import check_task

ROWS = [{"question": f"Which animal is number {n}?", "options": ["fox", "owl"], "gold": n % 2} for n in range(40)]


class Animals(MultipleChoice):
    """Which animal it is."""

    name = "animals"
    metrics = (ACC,)

    def question(self, row):
        return row["question"]

    def choices(self, row):
        return row["options"]

    def gold(self, row):
        return row["gold"]


class Unnamed(Animals):
    """Nothing else."""

    name = " "


class Undescribed(Animals):
    __doc__ = None


class Forgetful(Animals):
    """Its samples change from call to call."""

    calls = 0

    def samples(self, rows, settings):
        self.calls += 1
        return super().samples(rows, replace(settings, seed=self.calls))


class Twins(Animals):
    """Two samples have one id."""

    def samples(self, rows, settings):
        return [replace(sample, id="1") for sample in super().samples(rows, settings)]


class Endless(Animals):
    """It takes no notice of the limit."""

    def samples(self, rows, settings):
        return super().samples(rows, replace(settings, limit=None))


class FirstRows(Animals):
    """Whatever the seed, it takes the first rows."""

    def samples(self, rows, settings):
        return super().samples(rows, replace(settings, seed=0))


class Jumping(Animals):
    """A larger limit takes other rows."""

    def samples(self, rows, settings):
        half = len(rows) // 2
        part = rows[:half] if (settings.limit or 0) > 4 else rows[half:]
        return [replace(one, id=one.prompt) for one in super().samples(part, settings)]


class Cheating(Animals):
    """The sample itself is shown before it is asked."""

    def samples(self, rows, settings):
        found = super().samples(rows, settings)
        if not settings.num_fewshot:
            return found
        own = [sample.prompt[sample.question_start :] for sample in found]
        return [
            replace(sample, prompt=f"{text} fox\n\n{text}", question_start=len(text) + 6)
            for sample, text in zip(found, own, strict=True)
        ]


class Blind(Animals):
    """It shows no exemplars, and says that it does."""

    def samples(self, rows, settings):
        return super().samples(rows, replace(settings, num_fewshot=0))


class Undeclared(Animals):
    """It asks for something other than it says."""

    asks = (Classify,)


class Speechless(Animals):
    """A sample without a score."""

    def score(self, sample, responses):
        return ()


class Stray(Animals):
    """A score of no metric of its."""

    def score(self, sample, responses):
        return [Score(sample_id=sample.id, metric="f1", value=1.0)]


class Infinite(Animals):
    """A score that is no number."""

    def score(self, sample, responses):
        return [Score(sample_id=sample.id, metric="acc", value=float("inf"))]


class TooGood(Animals):
    """A share above 1."""

    def score(self, sample, responses):
        return [Score(sample_id=sample.id, metric="acc", value=2.0)]


class Random_(Animals):  # noqa: N801 - `Random` is the generator
    """A score by chance."""

    rng = Random(0)

    def score(self, sample, responses):
        return [replace(one, weight=self.rng.random()) for one in super().score(sample, responses)]


class Trusting(Animals):
    """An answer that can't be used counts as wrong."""

    def score(self, sample, responses):
        return [replace(one, value=one.value or 0.0, invalid=None) for one in super().score(sample, responses)]


class Grouped(Animals):
    """Given by a group that no score names."""

    metrics = (replace(ACC, by=("sex",)),)


class Sourceless(Animals):
    """Nobody knows where the metric is defined."""

    metrics = (replace(ACC, source=""),)


class Unscored(Animals):
    """A metric that no sample has a score for."""

    def score(self, sample, responses):
        return [one for one in super().score(sample, responses) if one.metric == "acc"]

    metrics = (ACC, replace(ACC, name="acc_again"))


class Outside(type(ACC)):  # type: ignore[misc]
    """A value outside its interval."""

    def reduce(self, scores, rng, confidence=0.95):
        return Interval(value=0.9, stderr=0.1, low=0.1, high=0.2, method="none")


class Drifting(Animals):
    """A metric with a wrong interval."""

    metrics = (Outside(**{name: getattr(ACC, name) for name in ("name", "unit", "source", "direction")}),)


class Insatiable(Animals):
    """It always asks on."""

    def follow_up(self, sample, responses):
        return [Loglikelihood(context=f"{len(responses)} {sample.id}", continuation=" so")]


TASKS: Sequence[tuple[type[Task], str]] = (
    (Unnamed, "no `name`"),
    (Undescribed, "no docstring"),
    (Forgetful, "other samples or requests"),
    (Twins, "two samples have the id"),
    (Endless, "40 samples where the limit is 4"),
    (FirstRows, "another seed draws the same samples"),
    (Jumping, "leaves out sample"),
    (Cheating, "among its own exemplars"),
    (Blind, "supports_fewshot = False"),
    (Undeclared, "asks a Loglikelihood, which `asks` doesn't name"),
    (Speechless, "has no score"),
    (Stray, "none of the task's `metrics`"),
    (Infinite, "is inf"),
    (TooGood, "above its `highest`"),
    (Random_, "is it random"),
    (Trusting, "give acc a value"),
    (Grouped, "no score says its group"),
    (Sourceless, "no `source`"),
    (Unscored, "acc_again: no sample has a score"),
    (Drifting, "outside its interval"),
    (Insatiable, "asks on after"),
)


def test_a_sound_task_passes() -> None:
    check_task(Animals(), ROWS, limit=4)


@pytest.mark.parametrize(("task", "words"), TASKS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_faulty_task_is_found(task: type[Task], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_task(task(), ROWS, limit=4)
