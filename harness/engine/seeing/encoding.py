"""From texts with pictures in them to token ids, where a picture is tokens of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from typing_extensions import override

from harness.core.media import IMAGE, OBJECT, media_type_of
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
from harness.engine.seeing.pictures import Pictures

__all__ = ["Multimodal", "SeeingEncoder", "is_multimodal", "why_unsound"]

Multimodal = MultimodalLoglikelihood | MultimodalGenerateUntil
Asked = TypeVar("Asked", bound=Loglikelihood | GenerateUntil)


def is_multimodal(request: Request) -> bool:
    """Whether a request's context may hold pictures."""
    return isinstance(request, Multimodal)


def why_unsound(request: Multimodal, marks: frozenset[str]) -> Reason | None:
    """Why it can't be told where the pictures of a request stand; None where it can.

    `marks` are the words that stand for pictures in the model's own texts.
    """
    texts = (request.context, request.continuation if isinstance(request, MultimodalLoglikelihood) else "")
    if any(media_type_of(name) != IMAGE for name in request.media):
        return Reason("it holds a sound, which this model doesn't hear")
    count = request.context.count(OBJECT)
    if count != len(request.media):
        return Reason(
            "its text has {places} places for pictures, and it has {pictures} of them",
            places=count,
            pictures=len(request.media),
        )
    found = sorted(mark for mark in marks if any(mark in text for text in texts))
    if found:
        return Reason("its text contains {mark}, which stands for a picture", mark=found[0])
    return None


class SeeingEncoder(Encoder):
    """As `Encoder`, for requests with pictures among others."""

    def __init__(self, tokenizer: Any, max_length: int, model: Any, pictures: Pictures) -> None:
        super().__init__(tokenizer, max_length, model)
        self._pictures = pictures

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
        """A picture of which only a part is read counts as read."""
        lost = super().unread_character_count(self._spelt(request), read)
        if not lost or not isinstance(request, Multimodal):
            return lost
        for place, length in self._pieces(request):
            if lost < length:
                return place + (lost if length > 1 and request.context[place] != OBJECT else 0)
            lost -= length
        return len(request.context)

    def _spelt(self, request: Asked) -> Asked:
        """The request with what the processor puts in place of its pictures."""
        if not isinstance(request, Multimodal):
            return request
        texts = iter(self._pictures.look(name).text for name in request.media)
        context = "".join(next(texts) if letter == OBJECT else letter for letter in request.context)
        return replace(request, context=context, noise=self._moved(request))

    def _pieces(self, request: Multimodal) -> list[tuple[int, int]]:
        """Each character's place in the context, and how many it is there once pictures are spelt."""
        lengths = iter(len(self._pictures.look(name).text) for name in request.media)
        return [(place, next(lengths) if letter == OBJECT else 1) for place, letter in enumerate(request.context)]

    def _moved(self, request: Multimodal) -> EmbeddingNoise | None:
        """The noise where its text stands once pictures are spelt; none lies on a picture."""
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
        """The tokens with pictures in the places of image tokens; those that are cut off are a picture's first."""
        if not isinstance(request, Multimodal):
            return tokens
        ids = [token for name in request.media for token in self._pictures.ids(name)]
        places = [place for place, token in enumerate(tokens) if token == self._pictures.token_id]
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
