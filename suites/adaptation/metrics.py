"""What a curve over the number of exemplars tells: how high it is, how steep, and what it hangs on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.core import statistics
from harness.core.metrics import Mean, Metric, Proportion, Undefined
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic, Sums

__all__ = [
    *("ADAPTATION_AREA", "DRAW", "DRAW_SPREAD", "GAIN_PER_DOUBLING", "LABEL_EFFECT", "ORDER_FLIP_RATE"),
    *("RANDOM_LABEL_ACC", "ROWS", "SHOTS", "SHOTS_ACC", "SpreadOverDraws", "TRAINED_ACC", "as_rows", "as_shots"),
    *("curve_metrics", "trained_metrics"),
]

SHOTS, DRAW = "shots", "draw"
"""Attributes of scores: how many exemplars stand before the question, and which draw of them."""
ROWS = "rows"
"""The attribute of scores that says how many rows the model was trained on."""
_BROWN = "Brown et al., Language models are few-shot learners (2020), NeurIPS"
_MIN = "Min et al., Rethinking the role of demonstrations (2022), EMNLP"
_WEI = "Wei et al., Larger language models do in-context learning differently (2023)"

SHOTS_ACC = Proportion(
    name="shots_acc",
    chance="choices",
    unit="share",
    direction="higher",
    source=f"{_BROWN}: accuracy by the number of exemplars in the context",
    by=(SHOTS,),
    smallest_group=1,
    meaning="""
    In [0, 1]: the share of questions whose right answer is the likeliest, by the number of exemplars before the
    question (00, 01, 02, 04, ..., of all draws); without a group that of the most exemplars. Errors are clustered by
    question.
    """,
)
TRAINED_ACC = Proportion(
    name="trained_acc",
    chance="choices",
    unit="share",
    direction="higher",
    source="Hu et al., LoRA: low-rank adaptation of large language models (2022), ICLR",
    by=(ROWS,),
    smallest_group=1,
    meaning="""
    In [0, 1]: the share of questions whose right answer is the likeliest, without any exemplar, by the number of rows
    that an adapter was fitted to before (000: none, the model itself); without a group that of the most rows.
    """,
)
ADAPTATION_AREA = Mean(
    name="adaptation_area",
    chance="choices",
    unit="share",
    direction="higher",
    lowest=0.0,
    highest=1.0,
    source=f"{_BROWN}: the curve over exemplars; its area by the trapezoidal rule",
    meaning="""
    In [0, 1]: the area under the curve of accuracy over log2(1 + exemplars), divided by its length, so that each
    doubling counts alike. Of two models with the same accuracy at the end, the one that needs fewer exemplars has the
    larger area. It reaches as far as the window does: compare it between runs of the same numbers of exemplars. Of
    `lora_curve:TASK` it is over the numbers of rows that were trained on.
    """,
)
GAIN_PER_DOUBLING = Mean(
    name="gain_per_doubling",
    unit="share",
    direction="higher",
    source=f"{_BROWN}: the slope of accuracy over the logarithm of the number of exemplars, by least squares",
    meaning="""
    By how much accuracy rises from one number of exemplars to twice as many: the slope of accuracy over
    log2(1 + exemplars). 0 for a model that exemplars teach nothing; 0.1 is ten points a doubling. Of
    `lora_curve:TASK` it is that of the rows that were trained on.
    """,
)
LABEL_EFFECT = Mean(
    name="label_effect",
    unit="share",
    direction="higher",
    lowest=-1.0,
    highest=1.0,
    by=(SHOTS,),
    smallest_group=1,
    source=f"{_MIN}: demonstrations with gold less those with random labels; {_WEI}",
    meaning="""
    In [-1, 1]: accuracy with right answers in the exemplars less accuracy with random ones, after the same exemplars,
    paired by question; by number of exemplars, without a group that of the most. Near 0 the model only recognises the
    task and its form; above 0 it learns from what the exemplars say. Where nothing but the exemplars tells the answer,
    it is all of what was learnt.
    """,
)
RANDOM_LABEL_ACC = Proportion(
    name="random_label_acc",
    chance="choices",
    unit="share",
    direction="higher",
    by=(SHOTS,),
    smallest_group=1,
    source=f"control: demonstrations with random labels, {_MIN}",
    meaning="""
    In [0, 1], a control: as `shots_acc`, where each exemplar has an answer that is drawn at random from its choices.
    What is still right then was known before.
    """,
)
ORDER_FLIP_RATE = Proportion(
    name="order_flip_rate",
    unit="share",
    direction="lower",
    source="Lu et al., Fantastically ordered prompts and where to find them (2022), ACL: sensitivity to their order",
    meaning="""
    In [0, 1]: the share of questions whose answer changes where the same exemplars, as many as there are, stand in
    another order. Lower is better; 0 for a model that ignores them.
    """,
)


@dataclass(frozen=True, kw_only=True)
class SpreadOverDraws(Metric):
    """The standard deviation of accuracy between draws of exemplars, the mean over numbers of exemplars.

    The interval is a bootstrap of questions, each with all of its draws; two draws or more.
    """

    lowest: float | None = 0.0
    highest: float | None = 1.0

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return statistics.bootstrap(
            self.resampled(scores),
            len(scores),
            rng=rng,
            clusters=[score.cluster for score in scores],
            confidence=confidence,
            lowest=self.lowest,
            highest=self.highest,
        )

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        shots, draws = (sorted({score.groups[name] for score in scores}) for name in (SHOTS, DRAW))
        if len(draws) < 2:
            raise Undefined("a single draw has no spread")
        cells = [(one, draw) for one in shots for draw in draws]
        member = np.array([[(score.groups[SHOTS], score.groups[DRAW]) == cell for cell in cells] for score in scores])
        values = np.array([score.value for score in scores], dtype=float)

        def of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            rights, counts = np.split(sums, 2, axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                shares = (rights / counts).reshape(len(sums), len(shots), len(draws))
            return np.asarray(shares.std(axis=2, ddof=1).mean(axis=1))

        return Sums(parts=np.hstack([member * values[:, None], member]).astype(float), of=of)


DRAW_SPREAD = SpreadOverDraws(
    name="draw_spread",
    unit="share",
    direction="lower",
    source="Zhao et al., Calibrate before use (2021), ICML: variance of accuracy over the choice of exemplars",
    meaning="""
    In [0, 1]: the standard deviation of accuracy between draws of exemplars for the same questions, the mean over
    numbers of exemplars from 1 on. Lower is better. A few questions alone let draws differ: it is above 0 for a model
    whose right answers only come and go.
    """,
)


def as_shots(count: int) -> str:
    """A number of exemplars as the name of a group: with two digits, so that groups are in the order of the curve."""
    return f"{count:02}"


def curve_metrics(most: int, *, several_draws: bool) -> Sequence[Metric]:
    """The metrics of a task with so many exemplars at the most."""
    end = {SHOTS: as_shots(most)}
    found: list[Metric] = [
        replace(SHOTS_ACC, main_group=end),
        ADAPTATION_AREA,
        GAIN_PER_DOUBLING,
        replace(LABEL_EFFECT, main_group=end),
        replace(RANDOM_LABEL_ACC, main_group=end),
        ORDER_FLIP_RATE,
    ]
    return (*found, DRAW_SPREAD) if several_draws else tuple(found)


def as_rows(count: int) -> str:
    """A number of rows as the name of a group: with three digits, so that groups are in the order of the curve."""
    return f"{count:03}"


def trained_metrics(most: int) -> Sequence[Metric]:
    """The metrics of a task that trains on so many rows at the most."""
    return (replace(TRAINED_ACC, main_group={ROWS: as_rows(most)}), ADAPTATION_AREA, GAIN_PER_DOUBLING)
