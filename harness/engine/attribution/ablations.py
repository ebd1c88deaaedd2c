"""What a model says of a text, or of a picture, without some of its units, each asked about once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from harness.core.models import TOLERANCE_NATS, Model
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    AudioLoglikelihood,
    Classify,
    Loglikelihood,
    MultimodalLoglikelihood,
    Request,
    Response,
)
from harness.engine.attribution.units import without
from harness.media.pictures import without_cells
from harness.media.sounds import without_stretches

__all__ = ["Ablations", "Decision", "Spent", "Unusable", "log_odds"]

Kept = NDArray[np.bool_]
Values = NDArray[np.float64]


class Unusable(Exception):  # noqa: N818 - not an error: it becomes the reason of an invalid response
    """A decision can't be explained; the message is the reason."""

    @property
    def reason(self) -> str:
        """Why, as it was given."""
        return str(self.args[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The index of the choice that the model prefers, its text, and whether another is too close to call."""

    index: int
    target: str
    tie: bool


@dataclass(slots=True, kw_only=True)
class Spent:
    """Tokens of the texts asked about: `asked` if each were read by itself, `computed` those that were read."""

    asked: int = 0
    computed: int = 0


def log_odds(scores: Values, index: int) -> Values:
    """Of the choice `index` against all others, in nats, for log-probabilities of shape (rows, choices)."""
    odds: Values = scores[:, index] - logsumexp(np.delete(scores, index, axis=1), axis=1)
    return odds


class Ablations:
    """Asks `model` about a request's text with subsets of its units.

    A causal model reads what the texts share once, by its own plan: they are likelihoods and labels like any other.
    """

    def __init__(self, request: Attribute, units: Sequence[str], model: Model, spent: Spent | None = None) -> None:
        self.request = request
        self.units = units
        self.model = model
        self.spent = spent or Spent()
        self.asked_ids: set[str] = set()
        self.labels: tuple[str, ...] = request.continuations
        self._scores: dict[bytes, Values] = {}

    def __len__(self) -> int:
        """How many subsets were asked about."""
        return len(self._scores)

    def ask(self, kept: Kept) -> None:
        """Ask about the rows of `kept`, of shape (rows, units), that were not asked about before, all at once."""
        new = {row.tobytes(): row for row in kept if row.tobytes() not in self._scores}
        if not new:
            return
        asked = {key: self._requests(row) for key, row in new.items()}
        distinct = {request.id: request for requests in asked.values() for request in requests}
        self.asked_ids |= set(distinct)
        batches = self.model.plan(list(distinct.values()))
        self.spent.asked += sum(batch.asked_token_count for batch in batches)
        self.spent.computed += sum(batch.computed_token_count for batch in batches)
        answers = {response.request_id: response for batch in batches for response in self.model.answer(batch)}
        for key, requests in asked.items():
            self._scores[key] = self._judged([answers[request.id] for request in requests])

    def scores(self, kept: Kept) -> Values:
        """Log-probability of each choice, of shape (rows, choices): among all texts, or among the labels."""
        self.ask(kept)
        return np.stack([self._scores[row.tobytes()] for row in kept])

    def decision(self) -> Decision:
        """What the model decides on the whole text; the first of those that are too close to call."""
        (scores,) = self.scores(np.ones((1, len(self.units)), dtype=bool))
        if len(scores) < 2:
            raise Unusable("a decision needs at least two choices or labels, and the model gives one number")
        close = np.flatnonzero(scores.max() - scores < TOLERANCE_NATS)
        return Decision(index=int(close[0]), target=self.labels[close[0]], tie=len(close) > 1)

    def log_odds(self, decision: Decision) -> Callable[[Kept], Values]:
        """The function that is explained: log-odds of the decision, in nats, one a row of units kept."""

        def found(kept: Kept) -> Values:
            return np.asarray(log_odds(self.scores(kept), decision.index))

        return found

    def _requests(self, kept: Kept) -> list[Request]:
        asked = self.request
        if isinstance(asked, AttributePicture):
            shown = (without_cells(asked.media[0], asked.grid, kept.tolist()), *asked.media[1:])
            return [
                MultimodalLoglikelihood(context=asked.context, continuation=continuation, media=shown)
                for continuation in asked.continuations
            ]
        if isinstance(asked, AttributeSound):
            heard = (without_stretches(asked.media[0], kept.tolist()), *asked.media[1:])
            return [
                AudioLoglikelihood(context=asked.context, continuation=continuation, media=heard)
                for continuation in asked.continuations
            ]
        stop = len(asked.context) if asked.stop is None else asked.stop
        text = asked.context[: asked.start] + without(self.units, kept.tolist()) + asked.context[stop:]
        if not asked.continuations:
            return [Classify(text=text, text_pair=asked.text_pair)]
        return [Loglikelihood(context=text, continuation=continuation) for continuation in asked.continuations]

    def _judged(self, responses: Sequence[Response]) -> Values:
        for response in responses:
            if response.invalid is not None:
                raise Unusable(response.invalid)
        labelled = responses[0].label_scores
        if labelled is None:
            return np.array([response.loglikelihood for response in responses], dtype=float)
        self.labels = tuple(labelled)
        chances = np.array(list(labelled.values()), dtype=float)
        return np.asarray(np.log(np.maximum(chances, np.finfo(float).tiny)))
