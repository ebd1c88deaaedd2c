"""A choice beside its control: the same choices without what is to be read."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from harness.core.metrics import Metric, Proportion
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.data.distractors import place
from harness.metrics.standard import ACC, GOLD_BITS_PER_BYTE
from harness.tasks.choices import Choice, MultipleChoice, gold_cost, pick, unanswered

__all__ = ["ACC_LIFTED", "ACC_UNREAD", "ControlledChoice", "controlled_metrics"]

UNREAD = "without what is to be read"

ACC_LIFTED = Proportion(
    name="acc_lifted",
    chance="choices",
    unit="share",
    direction="higher",
    source="lm-evaluation-harness (Gao et al., 2024): acc_mutual_info; Holtzman et al. (2021), Surface Form "
    "Competition, EMNLP",
    meaning="""
    In [0, 1]: share of samples whose right choice gains more log-likelihood from what is to be read than every wrong
    one does. How common a choice is by itself cancels out.
    """,
)
ACC_UNREAD = Proportion(
    name="acc_unread",
    unit="share",
    target=0.25,
    source="partial-input baseline: Gururangan et al. (2018), Poliak et al. (2018)",
    meaning="""
    In [0, 1], a control of four choices, best at 0.25: as `acc`, without what is to be read. As far as it lies above
    0.25, the right choices give themselves away, by being commoner for instance, and `acc` says so much less.
    """,
)


def controlled_metrics(by: Sequence[str] = ()) -> Sequence[Metric]:
    """The metrics of a task, accuracy also by the groups `by`."""
    return (replace(ACC, by=tuple(by)), ACC_LIFTED, ACC_UNREAD, GOLD_BITS_PER_BYTE)


class ControlledChoice(MultipleChoice):
    """A question with four choices that are equally long, asked with what is to be read, then without.

    Their order hangs on the row alone, so that ties, of which the first wins, favour nothing. A task that is not
    `controlled` is asked without the control, and has `acc` alone.
    """

    controlled = True
    metrics: Sequence[Metric] = controlled_metrics()

    @abstractmethod
    def right(self, row: Row) -> str:
        """The right choice."""

    @abstractmethod
    def unread(self, row: Row) -> str:
        """The prompt of the control, behind which the choices alone are read."""

    def asked(self, sample: Sample, choice: str) -> Loglikelihood:
        """How a choice is read: without a space in front, as Chinese is written."""
        return Loglikelihood(context=sample.prompt, continuation=choice)

    def groups(self, row: Row) -> Mapping[str, str]:  # noqa: ARG002
        """The groups that the row belongs to; none by default."""
        return {}

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """The right one among the wrong ones, at a place that hangs on the row."""
        right = self.right(row)
        wrong = [str(one) for one in row["distractors"]]
        at = place(f"{right}:{'|'.join(wrong)}", len(wrong) + 1)
        return (*wrong[:at], right, *wrong[at:])

    @override
    def gold(self, row: Row) -> int:
        return list(self.choices(row)).index(self.right(row))

    @override
    def sample(self, row: Row) -> Sample:
        fields: dict[str, Any] = {"unread": self.unread(row), "groups": dict(self.groups(row))}
        return replace(super().sample(row), fields=fields)

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One for each choice, then one for each of the control."""
        asked = [self.asked(sample, choice) for choice in sample.choices]
        control = [Loglikelihood(context=sample.fields["unread"], continuation=choice) for choice in sample.choices]
        return [*asked, *control] if self.controlled else asked

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return "" if position < len(sample.choices) else UNREAD

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric; all are invalid where any answer can't be used."""
        assert isinstance(sample.gold, int)
        blank = Score(
            sample_id=sample.id,
            metric="",
            gold=sample.choices[sample.gold],
            cluster=sample.cluster,
            groups=sample.fields["groups"],
        )
        if reason := unanswered(responses):
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        nats = [response.loglikelihood or 0.0 for response in responses]
        count = len(sample.choices)
        chosen = {ACC.name: pick(nats[:count], sample.choices, normalised=False)}
        if self.controlled:
            gained = [read - unread for read, unread in zip(nats[:count], nats[count:], strict=True)]
            # Two log-likelihoods round in each.
            chosen[ACC_LIFTED.name] = pick([one / 2 for one in gained], sample.choices, normalised=False)
            chosen[ACC_UNREAD.name] = pick(nats[count:], sample.choices, normalised=False)
        # What is read with the choice costs nats and has bytes, too.
        cost = gold_cost(blank, nats[sample.gold], self.asked(sample, sample.choices[sample.gold]).continuation)
        return [
            cost if metric.name == cost.metric else _scored(blank, metric, sample, chosen[metric.name])
            for metric in self.metrics
        ]


def _scored(blank: Score, metric: Metric, sample: Sample, chosen: Choice) -> Score:
    return replace(
        blank,
        metric=metric.name,
        value=float(chosen.index == sample.gold),
        predicted=sample.choices[chosen.index],
        tie=chosen.tie,
    )
