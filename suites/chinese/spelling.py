"""Learners' sentences as written and as corrected."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.metrics import Mean
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.data.distractors import place
from harness.metrics.standard import ACC
from harness.tasks.choices import MultipleChoice

__all__ = ["RIGHT_COMMONER", "SighanPairs"]

RIGHT_COMMONER = Mean(
    name="right_commoner",
    unit="share",
    target=0.5,
    lowest=0.0,
    highest=1.0,
    source="unigram baseline: Warstadt et al., BLiMP (2020)",
    meaning="""
    In [0, 1], a control that asks no model, best at 0.5: share of pairs whose right sentence has the commoner
    characters, as all sentences of the set, right and wrong ones, use them; a tie counts a half. Whoever goes by how
    common characters are scores this.
    """,
)


class SighanPairs(MultipleChoice):
    """Which of two sentences is spelt right: a learner's, and its correction (SIGHAN 2015; Tseng et al., 2015).

    What it measures. Whether the corrected sentence is likelier than the written one, as a whole and without any
    prompt: minimal pairs as BLiMP (Warstadt et al., 2020) and CLiMP (Xiang et al., 2021) have them. The two are equally
    long, and most differ in one character of the same sound or shape.

    Why it matters. Writing Chinese goes wrong by choosing a wrong character: a model that tells 在 from 再 has learnt
    more than which characters are frequent.

    Limits. 363 pairs of the test set, of learners in Taiwan, turned into simplified characters by the publisher, which
    left a few odd ones. Some corrected sentences have faults of grammar still, which count for both. Wrong characters
    are rarer than right ones: commonness alone (`right_commoner`) finds 0.58 of all right sentences. Chance is 0.5. 80
    pairs by default: an error of 0.05.
    """

    name = "sighan_pairs"
    data = "sighan_2015"
    languages = ("zh",)
    default_limit = 80
    supports_fewshot = False
    metrics = (ACC, RIGHT_COMMONER)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The rows that are a pair: two sentences that differ, and are equally long."""
        pairs = [row for row in rows if row["written"] != row["corrected"] and _same_length(row)]
        used = Counter(one for row in pairs for one in row["written"] + row["corrected"])
        return [
            replace(sample, fields={"commoner": _commoner(sample, used)}) for sample in super().samples(pairs, settings)
        ]

    @override
    def question(self, row: Row) -> str:
        """None: sentences are read from the beginning of a text on."""
        return ""

    @override
    def choices(self, row: Row) -> Sequence[str]:
        """Both sentences, in an order that hangs on them alone."""
        pair = (row["corrected"], row["written"])
        return pair if place("".join(pair), 2) else pair[::-1]

    @override
    def gold(self, row: Row) -> int:
        return list(self.choices(row)).index(row["corrected"])

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """One for each whole sentence."""
        return [Loglikelihood(context="", continuation=sentence) for sentence in sample.choices]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The control hangs on the pair alone, where there is an answer to hold it against."""
        return [
            replace(score, value=sample.fields["commoner"], predicted=None, tie=False)
            if score.metric == RIGHT_COMMONER.name and score.invalid is None
            else score
            for score in super().score(sample, responses)
        ]


def _same_length(row: Row) -> bool:
    return len(row["written"]) == len(row["corrected"])


def _commoner(sample: Sample, used: Counter[str]) -> float:
    """1 where the right sentence has the larger product of its characters' counts, 0.5 for a tie."""
    assert isinstance(sample.gold, int)
    right, wrong = (sample.choices[at] for at in (sample.gold, 1 - sample.gold))
    differing = [(one, other) for one, other in zip(right, wrong, strict=True) if one != other]
    products = [math.prod(used[pair[side]] for pair in differing) for side in (0, 1)]
    return 0.5 if products[0] == products[1] else float(products[0] > products[1])
