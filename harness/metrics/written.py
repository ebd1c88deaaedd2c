"""Metrics of answers that a model writes in its own words: cut ones are told from wrong ones, and from unread ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import comb
from random import Random
from typing import Any

from typing_extensions import override

from harness.core.metrics import Mean, Metric, PerUnit, Transform, Undefined
from harness.core.requests import Response
from harness.core.scores import Direction, Score
from harness.core.statistics import CONFIDENCE, Interval

__all__ = [
    *("ACCURACY", "BUDGET", "CHANCE", "CUT", "DRAWS", "TOKENS", "UNPARSED", "UPPER", "WRITTEN"),
    *("budgets", "by_groups", "of_draws", "pass_at_k", "pass_hat_k"),
]

BUDGET = "budget"
DRAWS = "k"
_PARTS = ("1/8", "1/4", "1/2", "1")


def _share(name: str, *, direction: Direction = "higher", **told: Any) -> Mean:
    """A mean of shares, better the higher unless it says otherwise."""
    return Mean(name=name, unit="share", direction=direction, lowest=0.0, highest=1.0, **told)


ACCURACY = _share(
    "accuracy_all",
    chance="choices",
    source="share of answers that are right, as Cobbe et al. (2021) count: what was cut or can't be read isn't right",
    meaning="""
    In [0, 1]: share of answers that are right, a cut or unread answer counting as not right. It is the lower of the
    two bounds (Manski, 1990) between which the share would lie if no answer had been cut and every one could be read;
    `accuracy_upper_bound` is the upper. With several draws, the mean over questions of their shares.
    """,
)
FINISHED = _share(
    "accuracy_finished",
    source="share of right answers among those that ended before their tokens were used up",
    meaning="""
    In [0, 1]: share of right answers among finished ones, over the questions with at least one. Long answers are cut
    more often, and hard questions have long answers, so it tends to flatter: read it beside `cut`.
    """,
)
UPPER = _share(
    "accuracy_upper_bound",
    source="Manski, Nonparametric bounds on treatment effects (1990): all that isn't known counts as right",
    meaning="""
    In [0, 1]: share of answers that are right, or may be: a cut or unread answer counts as right. A model with more
    tokens, and a reader that understands every answer, would score between `accuracy_all` and this.
    """,
)
CUT = _share(
    "cut",
    direction="lower",
    source="share of answers without an end: right-censored, as in survival analysis (Kaplan and Meier, 1958)",
    meaning="""
    In [0, 1]: share of answers that used up their tokens, or whose thoughts never ended. Allow more with
    `--max-tokens` before anything is concluded from a score with a large share.
    """,
)
UNPARSED = _share(
    "unparsed",
    direction="lower",
    source="share of finished texts in which no answer was found",
    meaning="""
    In [0, 1]: share of answers that ended, and in which nothing could be read as an answer. It is the model's failure
    to follow the format, or the instrument's to understand it: look at the samples.
    """,
)
TOKENS = Mean(
    name="answer_tokens",
    unit="tokens",
    direction="lower",
    lowest=0.0,
    source="tokens written for an answer, thoughts among them; cut ones count with what they have",
    meaning="From 0 up: mean number of tokens written for an answer. Too low where answers are cut.",
)
THOUGHTS = Mean(
    name="thinking_tokens",
    unit="tokens",
    direction="lower",
    lowest=0.0,
    source="tokens written between the markers of a model's thoughts",
    meaning="From 0 up: mean number of tokens of thoughts in front of an answer; 0 for a model that has none.",
)


@dataclass(frozen=True, kw_only=True)
class PricePerRight(PerUnit):
    """What a right answer costs; none where no answer is right."""

    transform: Transform = "plain"

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        if not any(score.weight for score in scores):
            raise Undefined("no answer is right, so none has a price")
        return super().reduce(scores, rng, confidence)


TOKENS_PER_RIGHT = PricePerRight(
    name="tokens_per_right_answer",
    unit="tokens",
    direction="lower",
    lowest=0.0,
    source="tokens written for all answers over the number of right ones",
    meaning="From 0 up: what a right answer costs in written tokens, all those for wrong and cut answers included.",
)


@dataclass(frozen=True, kw_only=True)
class ByGuessing(Mean):
    """A mean of what is known of each question before anything is answered: it has no error."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        return replace(super().reduce(scores, rng, confidence), stderr=None, low=None, high=None, method=None)


CHANCE = ByGuessing(
    name="chance",
    unit="share",
    direction="lower",
    lowest=0.0,
    highest=1.0,
    source="mean over questions of one over the number of answers that are open to choice",
    meaning="""
    In [0, 1]: share of right answers of one who picks blindly among the answers that a question leaves open (yes or no,
    letters, the sets of the people named). A question with an answer of its own, such as a sum, counts 0, so chance is
    at least this. Where `accuracy_all` isn't surely above it, nothing is shown to be known. It is no quality of the
    model; lower means that less of a score can be luck.
    """,
)
"""Of tasks whose answers are written and chosen, in all or some of their questions."""
AT_BUDGET = _share(
    "accuracy_at_budget",
    by=(BUDGET,),
    main_group={BUDGET: "1/2"},
    smallest_group=1,
    source="share of answers that are right and had ended by then, by the number of tokens; from one set of answers",
    meaning="""
    In [0, 1]: share of answers that had ended within a part of the tokens allowed (an eighth, a quarter, a half, all)
    and are right. The same answers serve for all, so a smaller part never has the larger score. The value over all is
    that of half the tokens: as far as it lies below `accuracy_all`, more tokens may bring more.
    """,
)
PASS_AT = _share(
    "pass_at_k",
    by=(DRAWS,),
    smallest_group=1,
    source="Chen et al., Evaluating large language models trained on code (2021): the unbiased estimator",
    meaning="""
    In [0, 1]: chance that of k draws at least one is right, by the unbiased estimator 1 - C(n-c, k) / C(n, k) for each
    question, c of whose n draws are right. The value over all is that of the largest k, which is n.
    """,
)
PASS_HAT = _share(
    "pass_hat_k",
    by=(DRAWS,),
    smallest_group=1,
    source="Yao et al., tau-bench (2024): the unbiased estimator of pass^k",
    meaning="""
    In [0, 1]: chance that all of k draws are right, by the unbiased estimator C(c, k) / C(n, k) for each question, c of
    whose n draws are right. The value over all is that of the largest k, which is n.
    """,
)
MAJORITY = _share(
    "majority",
    source="Wang et al., Self-consistency improves chain of thought reasoning (2023)",
    meaning="""
    In [0, 1]: share of questions whose commonest answer is right; cut and unread answers have no vote. Where several
    are equally common, the mean over these.
    """,
)

WRITTEN: tuple[Metric, ...] = (
    *(ACCURACY, FINISHED, UPPER, CUT, UNPARSED),
    *(TOKENS, THOUGHTS, TOKENS_PER_RIGHT, AT_BUDGET),
)
"""Of every task whose answers are written."""
_DRAWN: tuple[Metric, ...] = (PASS_AT, PASS_HAT, MAJORITY)


def of_draws(draws: int) -> tuple[Metric, ...]:
    """The metrics of so many draws a question, beside those of `WRITTEN`; none of a single one."""
    if draws == 1:
        return ()
    return tuple(replace(one, main_group={DRAWS: str(draws)}) if DRAWS in one.by else one for one in _DRAWN)


def by_groups(attributes: tuple[str, ...]) -> tuple[Metric, ...]:
    """The metrics of `WRITTEN`, accuracy also by these attributes of the samples."""
    return (replace(ACCURACY, by=attributes, smallest_group=2), *WRITTEN[1:])


def pass_at_k(draws: int, right: int, k: int) -> float:
    """Chance that one of `k` draws is right, where `right` of `draws` are (Chen et al., 2021); unbiased."""
    return 1 - comb(draws - right, k) / comb(draws, k)


def pass_hat_k(draws: int, right: int, k: int) -> float:
    """Chance that all of `k` draws are right, where `right` of `draws` are (Yao et al., 2024); unbiased."""
    return comb(right, k) / comb(draws, k)


def budgets(response: Response, max_tokens: int) -> dict[str, bool]:
    """Whether the answer had ended within each part of the tokens that were allowed."""
    ended = {part: response.token_count <= max_tokens * Fraction(part) for part in _PARTS}
    return {part: not response.is_cut and by_then for part, by_then in ended.items()}
