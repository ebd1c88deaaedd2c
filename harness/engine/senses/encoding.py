"""From texts with pictures or sounds in them to token ids, where each is tokens of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from typing_extensions import override

from harness.core.media import AUDIO, OBJECT, MediaType, media_type_of
from harness.core.requests import (
    EmbeddingNoise,
    GenerateUntil,
    Loglikelihood,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
)
from harness.core.text.reasons import Reason
from harness.engine.encoding import Encoder, Reading, Tokens
from harness.engine.senses.percepts import Percepts
from harness.engine.senses.sense import Sense

__all__ = ["Multimodal", "SensingEncoder", "is_multimodal", "why_unsound"]

Multimodal = MultimodalLoglikelihood | MultimodalGenerateUntil
Asked = TypeVar("Asked", bound=Loglikelihood | GenerateUntil)


def is_multimodal(request: Request) -> bool:
    """Whether a request's context may hold pictures or sounds."""
    return isinstance(request, Multimodal)


def why_unsound(request: Multimodal, sense: Sense | None = None) -> Reason | None:
    """Why it can't be told where the media of a request stand, or one of them can't be read; None where all can.

    Without a `sense`, media of every type are read.
    """
    types = {media_type_of(name) for name in request.media}
    if sense is not None and types - {sense.media_type}:
        return _unperceived(sense.media_type)
    count = request.context.count(OBJECT)
    if count != len(request.media):
        return Reason(
            "its text has {places} places for {media}, and it has {count} of them",
            places=count,
            media="sounds" if types == {AUDIO} else "pictures",
            count=len(request.media),
        )
    if sense is None:
        return None
    texts = (request.context, request.continuation if isinstance(request, MultimodalLoglikelihood) else "")
    if found := sorted(mark for mark in sense.marks if any(mark in text for text in texts)):
        return Reason("its text contains {mark}, which stands for a {medium}", mark=found[0], medium=sense.one)
    return next((reason for name in request.media if (reason := sense.why_unread(name))), None)


def _unperceived(known: MediaType) -> Reason:
    if known == AUDIO:
        return Reason("it holds a picture, which this model doesn't see")
    return Reason("it holds a sound, which this model doesn't hear")


class SensingEncoder(Encoder):
    """As `Encoder`, for requests with media among others."""

    def __init__(self, tokenizer: Any, max_length: int, model: Any, percepts: Percepts) -> None:
        super().__init__(tokenizer, max_length, model)
        self._percepts = percepts

    @override
    def loglikelihoods(self, requests: Sequence[Loglikelihood]) -> list[Reading]:
        readings = super().loglikelihoods([self._spelt(request) for request in requests])
        return [
            replace(reading, inputs=self._seen(request, reading.inputs))
            for request, reading in zip(requests, readings, strict=True)
        ]

    @override
    def prompts(self, requests: Sequence[GenerateUntil]) -> list[Tokens]:
        prompts = super().prompts([self._spelt(request) for request in requests])
        return [self._seen(request, prompt) for request, prompt in zip(requests, prompts, strict=True)]

    @override
    def unread_character_count(self, request: Loglikelihood | GenerateUntil, read: Tokens) -> int:
        """A medium of which only a part is read counts as read."""
        lost = super().unread_character_count(self._spelt(request), read)
        if not lost or not isinstance(request, Multimodal):
            return lost
        for place, length in self._pieces(request):
            if lost < length:
                return place + (lost if length > 1 and request.context[place] != OBJECT else 0)
            lost -= length
        return len(request.context)

    def _spelt(self, request: Asked) -> Asked:
        """The request with what the processor puts in place of its media."""
        if not isinstance(request, Multimodal):
            return request
        texts = iter(self._percepts.look(name).text for name in request.media)
        context = "".join(next(texts) if letter == OBJECT else letter for letter in request.context)
        return replace(request, context=context, noise=self._moved(request))

    def _pieces(self, request: Multimodal) -> list[tuple[int, int]]:
        """Each character's place in the context, and how many it is there once media are spelt."""
        lengths = iter(len(self._percepts.look(name).text) for name in request.media)
        return [(place, next(lengths) if letter == OBJECT else 1) for place, letter in enumerate(request.context)]

    def _moved(self, request: Multimodal) -> EmbeddingNoise | None:
        """The noise where its text stands once media are spelt; none lies on a medium."""
        if request.noise is None:
            return None
        starts, total = [], 0
        for _, length in self._pieces(request):
            starts.append(total)
            total += length
        spans = [
            (starts[place], starts[place] + 1)
            for start, stop in request.noise.spans
            for place in range(start, min(stop, len(starts)))
            if request.context[place] != OBJECT
        ]
        return replace(request.noise, spans=_joined(spans))

    def _seen(self, request: Loglikelihood | GenerateUntil, tokens: Tokens) -> Tokens:
        """The tokens with media in the places of theirs; those that are cut off are a medium's first."""
        if not isinstance(request, Multimodal):
            return tokens
        ids = [token for name in request.media for token in self._percepts.ids(name)]
        places = [place for place, token in enumerate(tokens) if token == self._percepts.sense.token_id]
        seen = list(tokens)
        for place, token in zip(reversed(places), reversed(ids), strict=False):
            seen[place] = token
        return tuple(seen)


def _joined(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Spans that follow each other as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return tuple(joined)
