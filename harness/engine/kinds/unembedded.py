"""Keeps texts away from a model that has no embedding for one of their tokens."""

from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import override

from harness.checkpoints.vocabulary import word_count
from harness.core.models import Batch, Model
from harness.core.requests import Request, Response
from harness.core.text.reasons import Reason

__all__ = ["Unembedded", "unembedded_ids"]

_REFUSED = object()
"""What a batch of such texts bears as its work."""
_READ = ("context", "text", "text_pair", "words")
_ENDS = ("continuation", "continuations")


def unembedded_ids(tokenizer: Any, model: Any) -> dict[int, str]:
    """The tokens by id that the tokenizer has and the model's embedding hasn't."""
    rows = word_count(model)
    return {number: token for token, number in tokenizer.get_vocab().items() if number >= rows}


class Unembedded(Model):
    """A model whose tokenizer has the tokens `missing`, for which there is no embedding (`Model` in core).

    A request whose text holds one gets an invalid response with the reason; all others are the model's.
    """

    def __init__(self, model: Model, tokenizer: Any, missing: dict[int, str]) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self._missing = missing

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """What can't be read first, in a batch of its own."""
        found = {request.id: request for request in requests if self._missing_in(request)}
        others = self.model.plan([request for request in requests if request.id not in found])
        refused = tuple(found[name] for name in sorted(found))
        return [*([Batch(refused, _REFUSED)] if refused else []), *others]

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        if batch.work is not _REFUSED:
            return self.model.answer(batch)
        return [
            Response(
                request_id=request.id,
                invalid=Reason(
                    "the text contains the token {token}, for which the model has no embedding",
                    token=self._missing_in(request) or "",
                ),
            )
            for request in batch.requests
        ]

    def _missing_in(self, request: Request) -> str | None:
        for text in _texts(request):
            for number in self._tokenizer(text, verbose=False)["input_ids"]:
                if number in self._missing:
                    return self._missing[number]
        return None


def _texts(request: Request) -> Iterator[str]:
    """All that is read for a request, what is predicted among it."""
    starts = [text for name in _READ for text in _strings(getattr(request, name, None))]
    yield from starts
    context = getattr(request, "context", "")
    yield from (context + end for name in _ENDS for end in _strings(getattr(request, name, None)))


def _strings(value: Any) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value or ()
