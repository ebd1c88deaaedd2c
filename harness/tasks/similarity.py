"""Similarity: do texts that people find alike lie close to each other?"""

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import Embed, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.metrics.correlation import SPEARMAN
from harness.tasks.rows import RowTask

__all__ = ["SimilarityTask", "cosine"]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors, in [-1, 1]; NaN where one is 0."""
    first, second = np.asarray(one), np.asarray(other)
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / norms if norms else math.nan


class SimilarityTask(RowTask):
    """The cosine of the vectors of two texts, held against how alike people find them."""

    metrics: Sequence[Metric] = (SPEARMAN,)
    asks = (Embed,)
    supports_fewshot = False

    @abstractmethod
    def pair(self, row: Row) -> tuple[str, str, float]:
        """The two texts of a row, and how alike they are: more is more alike. `ValueError` where that is no number."""

    @override
    def sample(self, row: Row) -> Sample:
        try:
            one, other, alike = self.pair(row)
        except ValueError as error:
            raise DataError(f"its similarity is not a number ({error})") from error
        if not math.isfinite(alike):
            raise DataError("its similarity is not a finite number")
        return Sample(id="", prompt=one, choices=(other,), fields={"alike": alike})

    @override
    def requests(self, sample: Sample) -> Sequence[Embed]:
        """The vectors of the two texts."""
        return [Embed(text=sample.prompt), Embed(text=sample.choices[0])]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The cosine as prediction, the judgement as gold."""
        one, other = (response.vector for response in responses)
        value, reason = None, None
        if one is None or other is None:
            reason = next((response.invalid for response in responses if response.invalid), "the model gave no vector")
        elif math.isnan(value := cosine(one, other)):
            value, reason = None, "a vector is 0 and has no direction"
        return [
            Score(
                sample_id=sample.id,
                metric=SPEARMAN.name,
                gold=repr(sample.fields["alike"]),
                predicted=None if value is None else repr(value),
                cluster=sample.cluster,
                invalid=reason,
            )
        ]
