"""The model of token classifiers: each word of a sentence becomes one label, by the word's first sub-word."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.labels import names_of
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.errors import CheckpointError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Request, Response, Tag
from harness.engine.batching import InputRow, RowReader
from harness.engine.halving import NO_MEMORY
from harness.engine.rounding import NOT_FINITE

__all__ = ["OUTSIDE", "TaggerModel"]

OUTSIDE = "O"
"""The label of a word that is part of nothing."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of a sentence as the model reads it; `places` says for words of the sentence which token decides."""

    row: InputRow
    places: Mapping[int, int]


class TaggerModel(Model):
    """Answers `Tag` requests with a loaded token classifier (`Model` in core).

    A word gets the likeliest label of its first sub-word, as is customary in training. A word that the tokenizer makes
    nothing of (a control character) gets `OUTSIDE`. A sentence longer than the window is read in windows that overlap
    by half, and each word gets its label from the one in which it stands farthest from an end that isn't the
    sentence's own. Equal windows of a batch are read once.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        if not loaded.tokenizer.is_fast:
            raise CheckpointError(
                "the tokenizer can't tell which sub-words make a word",
                place=loaded.checkpoint.path,
                fix="Save it again with transformers' fast tokenizer, as tokenizer.json",
            )
        self.meter: Meter = meter or NullMeter()
        self.labels = names_of(loaded.checkpoint, loaded.model.config)
        self._reader = RowReader(
            loaded.model,
            loaded.tokenizer,
            batch_tokens=batch_tokens,
            max_length=loaded.max_length,
            meter=self.meter,
        )
        self._max_length = loaded.max_length
        self._windows: dict[str, tuple[_Window, ...]] = {}

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Sentences of like length together, the windows of one in the same batch."""
        requests = sorted(requests, key=lambda request: request.id)
        self._encode([request for request in requests if request.id not in self._windows])
        items = [
            (sum(len(window.row.tokens) for window in windows), windows[0].row, request)
            for request in requests
            for windows in [self._windows[request.id]]
            if windows
        ]
        batches = [self._batch(tuple(found)) for found in self._reader.batches(items)]
        empty = tuple(request for request in requests if not self._windows[request.id])
        return [*batches, Batch(empty)] if empty else batches

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        rows = [window.row for request in batch.requests for window in self._windows[request.id]]
        logits = self._reader.logits(rows)
        self.meter.count(tokens=0, requests=len(batch.requests))
        return [self._answer(request, logits) for request in batch.requests if isinstance(request, Tag)]

    def _batch(self, requests: tuple[Request, ...]) -> Batch:
        rows = [window.row for request in requests for window in self._windows[request.id]]
        return Batch(
            requests, None, sum(len(row.tokens) for row in rows), sum(len(row.tokens) for row in frozenset(rows))
        )

    def _answer(self, request: Tag, logits: Mapping[InputRow, Tensor]) -> Response:
        windows = self._windows[request.id]
        read = sum(len(window.row.tokens) for window in windows)
        found = [logits.get(window.row) for window in windows]
        tags, reason = [OUTSIDE] * len(request.words), None
        for window, scores in zip(windows, found, strict=True):
            if scores is None:
                reason = NO_MEMORY
            elif not bool(torch.isfinite(scores).all()):
                reason = NOT_FINITE
            else:
                best = scores.argmax(dim=-1).tolist()
                for word, place in window.places.items():
                    tags[word] = self.labels[best[place]]
        return Response(
            request_id=request.id,
            tags=None if reason else tuple(tags),
            context_token_count=read,
            invalid=reason,
        )

    def _encode(self, requests: Sequence[Request]) -> None:
        asked = [request for request in requests if isinstance(request, Tag)]
        refuse_others(requests, (Tag,), "a tagger")
        self._windows.update((request.id, ()) for request in asked if not request.words)
        full = [request for request in asked if request.words]
        for request, (row, owners) in zip(full, self._reader.rows_of_words([one.words for one in full]), strict=True):
            fits = len(row.tokens) <= self._max_length
            self._windows[request.id] = (_Window(row, _firsts(owners)),) if fits else self._cut(request.words)

    def _cut(self, words: Sequence[str]) -> tuple[_Window, ...]:
        """Windows over a sentence, each as full as can be, the next one from the middle of the last."""
        spans: list[_Span] = []
        start, end = 0, 0
        while end < len(words):
            row, owners = self._filled(words, start)
            firsts = _firsts(owners)
            # Words of which the tokenizer makes nothing have no tokens to be cut off.
            end = start + max(firsts) + 1 if firsts else len(words)
            spans.append(_Span(start, end, row, {start + word: place for word, place in firsts.items()}))
            start = max(start + 1, (start + end) // 2)
        return _shared_out(spans, len(words))

    def _filled(self, words: Sequence[str], start: int) -> tuple[InputRow, Sequence[int | None]]:
        """A window that is as full as can be, of the words from `start` on.

        All words that are left, given to the tokenizer for each window, would take time that grows with their square.
        """
        count = self._max_length
        while True:
            ((row, owners),) = self._reader.rows_of_words([words[start : start + count]], truncated=True)
            if len(row.tokens) >= self._max_length or start + count >= len(words):
                return row, owners
            count *= 2


@dataclass(frozen=True, slots=True)
class _Span:
    """The words from `start` up to `end` as one window, before it is known which of them it decides."""

    start: int
    end: int
    row: InputRow
    places: Mapping[int, int]

    def context(self, word: int, count: int) -> float:
        """How many words stand between this one and the nearest end of the window that cuts the sentence."""
        before = word - self.start if self.start else math.inf
        return min(before, self.end - 1 - word if self.end < count else math.inf)


def _firsts(owners: Sequence[int | None]) -> dict[int, int]:
    """Where the first token of each word stands."""
    places: dict[int, int] = {}
    for place, word in enumerate(owners):
        if word is not None:
            places.setdefault(word, place)
    return places


def _shared_out(spans: Sequence[_Span], count: int) -> tuple[_Window, ...]:
    """The spans as windows, each word with the one in which it has the most context, the first of several."""
    chosen: dict[int, int] = {}
    for index, span in enumerate(spans):
        for word in span.places:
            if word not in chosen or span.context(word, count) > spans[chosen[word]].context(word, count):
                chosen[word] = index
    return tuple(
        _Window(span.row, {word: place for word, place in span.places.items() if chosen[word] == index})
        for index, span in enumerate(spans)
    )
