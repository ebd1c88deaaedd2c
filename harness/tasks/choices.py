"""Multiple choice: the model's choice is the continuation that it finds most likely."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.models import TOLERANCE_NATS
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.metrics.standard import ACC, ACC_NORM, GOLD_BITS_PER_BYTE
from harness.tasks.rows import RowTask

__all__ = ["Choice", "MultipleChoice", "gold_cost", "pick", "unanswered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The index of the chosen continuation, and whether another is too close to call."""

    index: int
    tie: bool


def unanswered(responses: Sequence[Response]) -> str | None:
    """Why there is no log-likelihood, of the first response that has none; None where all have one."""
    lacking = next((one for one in responses if one.loglikelihood is None), None)
    return None if lacking is None else lacking.invalid or "the model gave no log-likelihood"


def pick(loglikelihoods: Sequence[float], choices: Sequence[str], *, normalised: bool) -> Choice:
    """The likeliest choice; `normalised` divides each log-likelihood by the characters of its choice.

    A choice within `TOLERANCE_NATS` of the best (half of it of either, divided as they are) ties with it, and the
    lowest index among the tied wins, so that rounding doesn't decide. A repeated choice is no tie: the
    same question has the same answer.
    """
    lengths = np.array([len(choice) if normalised else 1 for choice in choices], dtype=float)
    values = np.array(loglikelihoods, dtype=float) / lengths
    best = int(values.argmax())
    slack = TOLERANCE_NATS / 2 * (1 / lengths + 1 / lengths[best])
    close = [int(i) for i in np.flatnonzero(values[best] - values < slack)]
    return Choice(index=min(close), tie=len({choices[i] for i in close}) > 1)


def gold_cost(blank: Score, loglikelihood: float, answer: str) -> Score:
    """What the right answer costs in nats, and how many bytes it has."""
    return replace(
        blank, metric=GOLD_BITS_PER_BYTE.name, value=max(0.0, -loglikelihood), weight=float(len(answer.encode()))
    )


class MultipleChoice(RowTask):
    """A question with choices, one of them right, asked by comparing log-likelihoods.

    A subclass says how a row becomes a question, its choices and the index of the right one. The choices follow the
    question after one space. `labels` names the choices where every sample has the same ones; elsewhere a choice
    goes by its index.
    """

    metrics: Sequence[Metric] = (ACC, ACC_NORM, GOLD_BITS_PER_BYTE)
    asks: Sequence[type[Request]] = (Loglikelihood,)
    labels: Sequence[str] = ()

    @abstractmethod
    def question(self, row: Row) -> str:
        """The prompt of a row, up to where the answer goes; it doesn't end in a space."""

    @abstractmethod
    def choices(self, row: Row) -> Sequence[str]:
        """The continuations to compare: at least two, none empty, without their leading space."""

    @abstractmethod
    def gold(self, row: Row) -> int:
        """The index of the right choice."""

    @override
    def sample(self, row: Row) -> Sample:
        choices, gold = tuple(self.choices(row)), self.gold(row)
        if len(choices) < 2 or not all(choices):
            raise DataError("needs at least two choices, none of them empty")
        if not 0 <= gold < len(choices):
            raise DataError(f"the gold index {gold} is out of range: there are {len(choices)} choices, from 0")
        return Sample(id="", prompt=self.question(row), choices=choices, gold=gold)

    @override
    def answer(self, sample: Sample) -> str:
        """The right choice."""
        assert isinstance(sample.gold, int)
        return sample.choices[sample.gold]

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One log-likelihood for each choice."""
        return [Loglikelihood(context=sample.prompt, continuation=f" {choice}") for choice in sample.choices]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric: 1 for the right choice and 0 for another, with both labels; and its cost."""
        assert isinstance(sample.gold, int)
        blank = Score(sample_id=sample.id, metric="", gold=self._label(sample.gold), cluster=sample.cluster, value=None)
        if reason := unanswered(responses):
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        likelihoods = [response.loglikelihood for response in responses if response.loglikelihood is not None]
        scores = {
            normalised: replace(
                blank,
                value=float(choice.index == sample.gold),
                predicted=self._label(choice.index),
                tie=choice.tie,
            )
            for normalised in (False, True)
            for choice in [pick(likelihoods, sample.choices, normalised=normalised)]
        }
        cost = gold_cost(blank, likelihoods[sample.gold], sample.choices[sample.gold])
        return [
            cost if metric.name == cost.metric else replace(scores[metric.name == ACC_NORM.name], metric=metric.name)
            for metric in self.metrics
        ]

    def _label(self, index: int) -> str:
        return self.labels[index] if self.labels else str(index)
