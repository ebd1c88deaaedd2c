"""Whether a data set's rows are likelier in their published order than in others."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from random import Random

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import LoglikelihoodRolling, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.tasks.choices import unanswered
from harness.tasks.rows import RowTask
from harness.tasks.wrapped import WrappedTask
from suites.contamination.ranks import MeanRank, share_below
from suites.contamination.rows import text_of, usable_rows

__all__ = ["ORDER_RANK", "OrderTask"]

ROWS = 4
"""Rows of a shard."""
_OTHERS = 5
"""Other orders of a shard that it is held against."""
_LONGEST = 240
"""Characters of a row that are read."""

ORDER_RANK = MeanRank(
    name="order_rank",
    unit="share",
    target=0.5,
    alternatives=_OTHERS,
    source="Oren et al., Proving Test Set Contamination in Black Box Language Models (2023): to a model that was not "
    "trained on the file its rows are exchangeable; here ranks of shards in place of their t test",
    meaning="""
    The share of other orders of four neighbouring rows that the model finds less likely than the published order, mean
    over such shards, in [0, 1]. 0.5 is what chance gives a model that never saw the rows in this order, whatever it
    knows of each; 1 where the published order is always the likeliest. The p value is exact and one-sided.

    It sees training on the file in its order alone: rows that were shuffled, or read once among much else, leave no
    trace. A data set whose order means something (sorted, or told in sequence) is told by any model: compare with one
    that can't have read it.
    """,
)


class OrderTask(WrappedTask[RowTask]):
    """The rows of another task in their published order, against other orders of the same rows.

    What it measures. Whether the model finds shards of four neighbouring rows likelier in the published order than in
    five others drawn at random, with the exact p value of that by chance (a sharded rank test after Oren et al., 2023).

    Why it matters. To a model that never read the file, no order of rows is better than another. One that was trained
    on the file in its order may betray it, and its score on the task is then no measure.

    Limits. A p value, never a verdict: with many tasks and models, small ones come by chance. A large one is no proof
    of innocence. The first 240 characters of each row, as the task asks it, so another form of it may go unseen. Data
    whose order means something are told by any model. Several models on one file are no independent witnesses: they may
    share a liking for how its rows happen to lie.
    """

    metrics: Sequence[Metric] = (ORDER_RANK,)

    def __init__(self, inner: RowTask) -> None:
        super().__init__("exchangeability", inner)
        self.asks = (LoglikelihoodRolling,)
        self.supports_fewshot, self.default_num_fewshot, self.default_limit = False, 0, 20
        self.executes_code = False

    @override
    def refusal(self, checkpoint: object) -> str | None:
        """None: texts are read, whatever the task asks of them."""
        return None

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """A sample a shard. Raises `DataError` for fewer rows than a shard has."""
        usable = usable_rows(self.inner, rows)
        shards = [usable[start : start + ROWS] for start in range(0, len(usable) - ROWS + 1, ROWS)]
        if not shards:
            raise DataError(
                f"has {len(usable)} rows, and their order is tried on {ROWS} at a time",
                place=self.name,
                fix="Give more",
            )
        _, chosen = choose(len(shards), replace(settings, num_fewshot=0), salt=self.name)
        return [self._shard(shards[index], rows, settings.seed) for index in chosen]

    def _shard(self, indices: Sequence[int], rows: Sequence[Row], seed: int) -> Sample:
        texts = [text_of(self.inner, rows[index])[:_LONGEST] for index in indices]
        others = list(permutations(range(ROWS)))[1:]
        drawn = Random(f"{seed}:{self.name}:{indices[0]}").sample(others, _OTHERS)
        return Sample(
            id=str(indices[0]),
            prompt=_joined(texts),
            fields={"others": tuple(_joined([texts[place] for place in order]) for order in drawn)},
        )

    @override
    def requests(self, sample: Sample) -> Sequence[LoglikelihoodRolling]:
        """The published order first."""
        return [LoglikelihoodRolling(text=text) for text in (sample.prompt, *sample.fields["others"])]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return f"order {position}" if position else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The share of the other orders that are less likely."""
        found = [one.loglikelihood for one in responses if one.loglikelihood is not None]
        if reason := unanswered(responses):
            return [Score(sample_id=sample.id, metric=ORDER_RANK.name, invalid=reason)]
        return [Score(sample_id=sample.id, metric=ORDER_RANK.name, value=share_below(found[0], found[1:]))]


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(texts)
