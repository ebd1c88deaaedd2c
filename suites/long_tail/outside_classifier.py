"""Does a fine-tuned classifier show that an input is none of those that it is for?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from suites.accuracy.imdb_classifier import IMDBClassifier
from suites.long_tail.outside import ENTROPY, INSIDE, PROBABILITY, half_of_each, unsureness

__all__ = ["OutsideIMDBClassifier"]


class OutsideIMDBClassifier(IMDBClassifier):
    """Sentences that are no film reviews among film reviews: is a classifier of sentiment less sure of them?

    What it measures. Reviews of IMDB and as many sentences from Wikipedia, all given a label. How well the largest
    probability among the labels and their entropy tell the two apart. The reviews are those that `imdb_classifier`
    asks about, and are computed once.

    Why it matters. A classifier has a label for anything. Whoever puts a filter in front of it, or hands unsure cases
    to people, goes by how sure it is.

    Limits. Sentences are much shorter than reviews, so a score that hangs on length finds them without understanding
    anything. With two labels both detectors order inputs alike. The energy needs the logits, of which the engine gives
    probabilities alone. One pair of sources, in English.
    """

    name = "outside_imdb_classifier"
    data = "imdb_and_sentences"
    metrics = (PROBABILITY, ENTROPY)

    @override
    def label(self, row: Row) -> str:
        """The sentiment; what is no review has none, and is never judged by it."""
        return super().label(row) if row["class"] == INSIDE else self.labels[0]

    @override
    def sample(self, row: Row) -> Sample:
        """With where it is from."""
        sample = super().sample(row)
        return replace(sample, fields={**sample.fields, "groups": {"source": row["class"]}})

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many of each source, at most half of `limit`."""
        return [self._read(index, rows) for index in half_of_each(rows, settings, IMDBClassifier.name, self.name)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """What each detector says of the sample: the more, the less it belongs here."""
        (response,) = responses
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster, groups=sample.fields["groups"])
        if response.label_scores is None:
            reason = response.invalid or "the model gave no label"
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        scores = np.array(list(response.label_scores.values()), dtype=float)
        found = unsureness(scores / scores.sum())
        return [replace(blank, metric=name, value=value) for name, value in found.items()]
