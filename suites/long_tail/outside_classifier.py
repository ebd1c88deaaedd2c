"""Does a fine-tuned classifier show that an input is none of those that it is for?"""

from collections.abc import Mapping, Sequence

import numpy as np
from typing_extensions import override

from harness.core.requests import Response
from harness.core.tasks import Row
from suites.accuracy.imdb_classifier import IMDBClassifier
from suites.long_tail.outside import ENTROPY, INSIDE, PROBABILITY, OutsideTask, unsureness

__all__ = ["OutsideIMDBClassifier"]


class OutsideIMDBClassifier(OutsideTask, IMDBClassifier):
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
    inside = IMDBClassifier.name
    metrics = (PROBABILITY, ENTROPY)

    @override
    def label(self, row: Row) -> str:
        """The sentiment; what is no review has none, and is never judged by it."""
        return super().label(row) if row["class"] == INSIDE else self.labels[0]

    @override
    def detected(self, responses: Sequence[Response]) -> Mapping[str, float] | str:
        """Both detectors, by the labels' scores."""
        (response,) = responses
        if response.label_scores is None:
            return response.invalid or "the model gave no label"
        scores = np.array(list(response.label_scores.values()), dtype=float)
        return unsureness(scores / scores.sum())
