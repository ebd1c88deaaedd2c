"""Answers of no model: of the right form for every class of request, decided by the request alone."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from typing_extensions import override

from harness.core.attributions import RANDOM, Attribution, MethodResult
from harness.core.models import Batch, Model
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    AudioGenerateUntil,
    AudioLoglikelihood,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MatchTexts,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
    Transcribe,
)
from harness.core.training.requests import TunedLoglikelihood

__all__ = ["StandIn", "refused"]

_WIDTH = 8
_CHARACTERS_PER_TOKEN = 4


class StandIn(Model):
    """A Model that computes nothing, for tests of tasks; `labels` are what it labels and tags by, and what it writes.

    Likelihoods lie between -20 and 0 nats, some generations are empty, and no answer is better than chance. Raises
    `AssertionError` for a class of request that it doesn't know.
    """

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = tuple(labels) or ("no", "yes")

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """One request a batch."""
        return [Batch((request,)) for request in sorted(requests, key=lambda request: request.id)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        return [self._answer(request) for request in batch.requests]

    def _answer(self, request: Request) -> Response:
        made: Callable[..., Response] | None = _MADE.get(type(request))
        if made is None:
            raise AssertionError(f"no answer is known to a request of the kind {request.kind}: give a `model`")
        return made(self, request, Random(request.id))

    def _likely(self, request: Loglikelihood, rng: Random) -> Response:
        count = _token_count(request.continuation)
        greedy = rng.random() < 0.3
        return Response(request_id=request.id, loglikelihood=-20 * rng.random(), is_greedy=greedy, token_count=count)

    def _whole(self, request: LoglikelihoodRolling | PseudoLoglikelihood, rng: Random) -> Response:
        count = _token_count(request.text)
        return Response(request_id=request.id, loglikelihood=-count * (1 + rng.random()), token_count=count)

    def _by_token(self, request: TokenLoglikelihoods, rng: Random) -> Response:
        count = min(_token_count(request.text), request.max_tokens)
        return Response(
            request_id=request.id,
            token_loglikelihoods=tuple(-5 * rng.random() for _ in range(count)),
            token_z_scores=tuple(rng.gauss(0, 1) for _ in range(count)),
            token_is_greedy=tuple(rng.random() < 0.5 for _ in range(count)),
            token_ends=tuple(_CHARACTERS_PER_TOKEN * (place + 1) for place in range(count)),
            loglikelihood=-2.5 * count,
            token_count=count,
        )

    def _apart(self, request: Divergence, rng: Random) -> Response:
        count = min(_token_count(request.text), request.max_tokens)
        return Response(
            request_id=request.id,
            token_loglikelihoods=tuple(-5 * rng.random() for _ in range(count)),
            token_reference_loglikelihoods=tuple(-5 * rng.random() for _ in range(count)),
            token_divergences=tuple(rng.random() for _ in range(count)),
            token_agrees=tuple(rng.random() < 0.8 for _ in range(count)),
            token_ends=tuple(_CHARACTERS_PER_TOKEN * (place + 1) for place in range(count)),
            loglikelihood=-2.5 * count,
            token_count=count,
        )

    def _written(self, request: GenerateUntil, rng: Random) -> Response:
        text = rng.choice(["", "A", " 42 %, I think.", "中文 é", *self.labels])
        count = min(_token_count(text), request.max_tokens) if text else 0
        tokens = tuple(rng.randrange(1000) for _ in range(count))
        return Response(request_id=request.id, text=text, token_ids=tokens, token_count=count)

    def _transcribed(self, request: Transcribe, rng: Random) -> Response:
        text = rng.choice(["", "Thank you.", request.reference or "you", *self.labels])
        count = min(_token_count(text), request.max_tokens) if text else 0
        return Response(
            request_id=request.id,
            text=text,
            stop="end",
            token_ids=tuple(rng.randrange(1000) for _ in range(count)),
            token_loglikelihoods=tuple(-5 * rng.random() for _ in range(count)),
            loglikelihood=None if request.reference is None else -20 * rng.random(),
            token_count=count,
        )

    def _labelled(self, request: Classify, rng: Random) -> Response:
        shares = [rng.random() + 0.01 for _ in self.labels]
        found = {label: share / sum(shares) for label, share in zip(self.labels, shares, strict=True)}
        return Response(request_id=request.id, label_scores=found, token_count=_token_count(request.text))

    def _matched(self, request: MatchTexts, rng: Random) -> Response:
        shares = [rng.random() + 0.01 for _ in request.texts]
        found = {text: share / sum(shares) for text, share in zip(request.texts, shares, strict=True)}
        return Response(request_id=request.id, label_scores=found, context_token_count=len(request.texts))

    def _tagged(self, request: Tag, rng: Random) -> Response:
        known = " ".join(self.labels).split()
        return Response(request_id=request.id, tags=tuple(rng.choice(known) for _ in request.words), token_count=1)

    def _embedded(self, request: Embed, rng: Random) -> Response:
        return Response(
            request_id=request.id,
            vector=tuple(rng.gauss(0, 1) for _ in range(_WIDTH)),
            token_count=_token_count(request.text),
        )

    def _explained(self, request: Attribute, rng: Random) -> Response:
        units = tuple(request.context[request.start : request.stop].split(" ")[: request.max_units])
        if isinstance(request, AttributePicture):
            rows, columns = request.grid
            units = tuple(f"cell {number}" for number in range(rows * columns))
        if isinstance(request, AttributeSound):
            units = tuple(f"segment {number}" for number in range(request.segments))
        tried = request.settings
        methods = tuple(
            MethodResult(
                name=name,
                values=tuple(rng.gauss(0, 1) for _ in units),
                deletion=tuple(rng.random() for _ in tried.fractions),
                insertion=tuple(rng.random() for _ in tried.fractions),
                infidelity=rng.random(),
                max_sensitivity=rng.random() if tried.noises else None,
                randomised=tuple(rng.gauss(0, 1) for _ in units) if tried.randomise else None,
                completeness_gap=rng.random() if name != RANDOM else None,
            )
            for name in (*request.methods, RANDOM)
        )
        target = (request.continuations or self.labels)[0]
        found = Attribution(
            decision=0,
            target=target.strip(),
            tie=False,
            probability=rng.random(),
            empty_probability=rng.random(),
            units=units,
            methods=methods,
        )
        return Response(request_id=request.id, attribution=found)


_MADE: Mapping[type[Request], Callable[..., Response]] = {
    Loglikelihood: StandIn._likely,
    LoglikelihoodRolling: StandIn._whole,
    PseudoLoglikelihood: StandIn._whole,
    TokenLoglikelihoods: StandIn._by_token,
    Divergence: StandIn._apart,
    ReferenceLoglikelihood: StandIn._likely,
    TunedLoglikelihood: StandIn._likely,
    GenerateUntil: StandIn._written,
    MultimodalLoglikelihood: StandIn._likely,
    MultimodalGenerateUntil: StandIn._written,
    AudioLoglikelihood: StandIn._likely,
    AudioGenerateUntil: StandIn._written,
    MatchTexts: StandIn._matched,
    Classify: StandIn._labelled,
    Tag: StandIn._tagged,
    Embed: StandIn._embedded,
    Attribute: StandIn._explained,
    AttributePicture: StandIn._explained,
    AttributeSound: StandIn._explained,
    Transcribe: StandIn._transcribed,
}


def refused(request: Request) -> Response:
    """What a model answers whose numbers can't be used."""
    return Response(request_id=request.id, invalid="the log-probabilities are not finite")


def _token_count(text: str) -> int:
    return max(1, len(text) // _CHARACTERS_PER_TOKEN)
