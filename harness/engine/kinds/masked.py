"""The model of masked transformers: pseudo-log-likelihoods, each token predicted where it is masked.

After Salazar et al., "Masked Language Model Scoring" (ACL 2020), with the correction of Kauf and Ivanova, "A Better Way
to Do Masked Language Model Scoring" (ACL 2023): with a token, the later tokens of its word are masked too.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.vocabulary import word_count
from harness.core.errors import ModelError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Loglikelihood, PseudoLoglikelihood, Request, Response
from harness.core.text.truncation import long_continuation
from harness.engine.encoding import Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.lengths import known_lengths
from harness.engine.noise import with_noise
from harness.engine.padding import ordered_rows, padded, padding_id, pads_exactly
from harness.engine.rounding import NOT_FINITE
from harness.engine.scoring import ReadingScore, logits_at

__all__ = ["MaskedCopy", "MaskedModel"]


@dataclass(frozen=True, slots=True)
class MaskedCopy:
    """A sequence in which some tokens are masked, and one masked token to predict."""

    tokens: Tokens
    position: int
    target: int


class MaskedModel(Model):
    """Answers requests with a loaded masked language model (`Model` in core).

    `PseudoLoglikelihood` predicts every token of a text, `Loglikelihood` those that reach into the continuation, given
    the context on the left; both sum the natural-log probabilities, each token read in a copy of its own. `is_greedy`
    says whether each is the likeliest at its place. The tokens that the tokenizer adds around a text are read and
    never predicted, and so is a mask that the text itself holds.

    A whole text that is longer than the window is read in windows, one for each token, in whose middle it stands (but
    for the ends of the text). A context that is too long loses its beginning.

    Copies that are equal are computed once within a batch, so requests that share any are put into the same one. The
    output head sees the masked positions alone. `batch_tokens` bounds the padded tokens of one forward pass, and
    halves where the memory doesn't suffice. None of this changes an answer by more than rounding.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model = loaded.model
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.encoder = _MaskEncoder(loaded.tokenizer, loaded.max_length, loaded.model)
        self.pad_id = padding_id(loaded.model, loaded.tokenizer)
        self._way = known_lengths(loaded.model).way
        self._readings: dict[str, _Reading] = {}
        self._passes: Halving[Tokens, dict[MaskedCopy, ReadingScore]] = Halving(batch_tokens)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Requests of like length together, and those that share copies."""
        requests = sorted(requests, key=lambda request: request.id)
        self._readings.update(self.encoder.read([one for one in requests if one.id not in self._readings]))
        copies = {request.id: self._lengths(request) for request in requests}
        families = sorted(_families(requests, copies), key=lambda family: (-self._width(family), family[0].id))
        batches: list[list[Request]] = []
        room = 0
        for family in families:
            size = _total(family, copies)
            if not batches or size > room:
                batches.append([])
                room = self.batch_tokens
            batches[-1].extend(family)
            room -= size
        return [
            Batch(tuple(batch), None, sum(sum(copies[one.id].values()) for one in batch), _total(batch, copies))
            for batch in batches
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        wanted: dict[Tokens, set[MaskedCopy]] = {}
        for request in batch.requests:
            for copy in self._readings[request.id].copies():
                wanted.setdefault(copy.tokens, set()).add(copy)

        def compute(group: Sequence[Tokens]) -> dict[MaskedCopy, ReadingScore]:
            return self._predict(group, [sorted(wanted[tokens], key=_place) for tokens in group])

        verdicts: dict[MaskedCopy, ReadingScore] = {}
        for rows in ordered_rows(wanted, pads=self._pads, way=self._way):
            for _, found in self._passes.run(rows, len, compute):
                verdicts |= found or {}
        self.meter.count(tokens=0, requests=len(batch.requests))
        return [_answer(request, self._readings[request.id], verdicts) for request in batch.requests]

    def copies(self, request: Loglikelihood) -> list[MaskedCopy]:
        """The sequences in which a token of the request's continuation is masked."""
        ((_, reading),) = self.encoder.read([request])
        return reading.copies()

    def forget(self, request_ids: Collection[str]) -> None:
        """Let go of what was kept of requests that won't be asked again."""
        for name in request_ids:
            self._readings.pop(name, None)

    @cached_property
    def _pads(self) -> bool:
        def compute(rows: Sequence[Tokens]) -> list[list[float]]:
            copies = [MaskedCopy(tokens, 1, tokens[2]) for tokens in rows]
            found = self._predict(rows, [[copy] for copy in copies])
            return [[found[copy].loglikelihood] for copy in copies]

        return pads_exactly(self.model, compute)

    def _predict(
        self, group: Sequence[Tokens], copies: Sequence[Sequence[MaskedCopy]]
    ) -> dict[MaskedCopy, ReadingScore]:
        """The verdict on each copy from one forward pass over the sequences; `copies` are those of each sequence."""
        arguments = padded(group, self.pad_id, self.model.device)
        width = arguments["input_ids"].shape[1]
        asked = [(row * width + copy.position, copy) for row, found in enumerate(copies) for copy in found]
        positions, where = np.unique(np.array([position for position, _ in asked]), return_inverse=True)
        logits = logits_at(self.model, arguments, positions)
        if logits.shape[0] != len(positions):
            # MobileBERT multiplies by its head's weights without calling it, so every position is there.
            logits = logits[torch.from_numpy(positions).to(logits.device)]
        rows = torch.from_numpy(where).to(logits.device)
        targets = torch.tensor([copy.target for _, copy in asked], device=logits.device)
        exact = logits.float()
        found = exact[rows, targets].double() - exact.logsumexp(dim=-1).double()[rows]
        greedy = exact.argmax(dim=-1)[rows] == targets
        self.meter.count(tokens=sum(map(len, group)), requests=0)
        return {
            copy: ReadingScore(value, best)
            for (_, copy), value, best in zip(asked, found.tolist(), greedy.tolist(), strict=True)
        }

    def _lengths(self, request: Request) -> dict[int, int]:
        """The length of each sequence that the request needs, by the sequence's hash, which takes less room."""
        return {hash(copy.tokens): len(copy.tokens) for copy in self._readings[request.id].copies()}

    def _width(self, requests: Sequence[Request]) -> int:
        return max(self._readings[request.id].length for request in requests)


class _MaskEncoder:
    """From requests to masked copies."""

    def __init__(self, tokenizer: Any, max_length: int, model: Any) -> None:
        if tokenizer.mask_token_id is None:
            raise ModelError("the tokenizer has no mask token", fix="Set mask_token in tokenizer_config.json")
        if tokenizer.mask_token_id >= word_count(model):
            raise ModelError(
                f"the model has no embedding for the tokenizer's mask token, {tokenizer.mask_token}",
                fix="Use the tokenizer that the model was trained with",
            )
        if not tokenizer.is_fast:
            raise ModelError(
                "the tokenizer doesn't tell where words begin and end",
                fix="Save it as tokenizer.json, which transformers' fast tokenizers are read from",
            )
        self.tokenizer = tokenizer
        self._model = model
        self.mask_id = int(tokenizer.mask_token_id)
        self.max_length = max_length

    def read(self, requests: Sequence[Request]) -> Iterator[tuple[str, "_Reading"]]:
        """Each request's id and reading, all texts encoded at once."""
        refuse_others(requests, (PseudoLoglikelihood, Loglikelihood), "a masked model")
        splits = [_split(request) for request in requests]
        if not splits:
            return
        encoded = self.tokenizer(
            [context + rest for context, rest in splits],
            return_attention_mask=False,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )
        for index, (request, (context, rest)) in enumerate(zip(requests, splits, strict=True)):
            special, offsets = encoded["special_tokens_mask"][index], encoded["offset_mapping"][index]
            noise = request.noise if isinstance(request, Loglikelihood) else None
            read = [place for place, (_, end) in enumerate(offsets) if end <= len(context) and not special[place]]
            tokens = with_noise(self._model, tuple(encoded["input_ids"][index]), offsets, noise, read)
            text = _Text.of(tokens, encoded.word_ids(index), special)
            ends = [end for (_, end), added in zip(offsets, special, strict=True) if not added]
            first = next((place for place, end in enumerate(ends) if end > len(context)), len(ends))
            whole = isinstance(request, PseudoLoglikelihood)
            yield request.id, self._reading(text, 0 if whole else first if rest else len(ends), ends, whole=whole)

    def _reading(self, text: "_Text", first: int, ends: Sequence[int], *, whole: bool) -> "_Reading":
        """The reading that predicts the tokens of the text, which end at the characters `ends`, from `first` on."""
        count = len(text.tokens)
        room = max(self.max_length - len(text.before) - len(text.after), 1)
        too_long = not whole and count - first > room
        places = [place for place in range(first, count) if text.tokens[place] != self.mask_id]
        return _Reading(
            text=text,
            places=() if too_long else tuple(places),
            room=room,
            mask_id=self.mask_id,
            is_whole=whole,
            unread_character_count=0 if whole or count <= room else ends[count - room - 1],
            invalid=long_continuation(count - first) if too_long else None,
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """A text's own tokens, where the word of each ends, and what the tokenizer adds `before` and `after` them."""

    tokens: Tokens
    word_ends: tuple[int, ...]
    before: Tokens
    after: Tokens

    @classmethod
    def of(cls, ids: Sequence[int], words: Sequence[int | None], special: Sequence[int]) -> "_Text":
        own = [index for index, added in enumerate(special) if not added]
        # Around an empty text, all that was added stands before it.
        start, stop = (own[0], own[-1] + 1) if own else (len(ids), len(ids))
        ends: list[int] = []
        for _, same in groupby(own, key=lambda index: words[index]):
            size = len(list(same))
            ends += [len(ends) + size] * size
        return cls(tuple(ids[start:stop]), tuple(ends), tuple(ids[:start]), tuple(ids[stop:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One request: the text, and the places in it whose tokens are predicted.

    `room` is how many of the text's tokens a sequence can hold. Copies are made when they are needed: all those of a
    long text take the square of its length.
    """

    text: _Text
    places: Tokens
    room: int
    mask_id: int
    is_whole: bool
    unread_character_count: int
    invalid: str | None

    @property
    def length(self) -> int:
        """Tokens of a sequence as read, special tokens too."""
        return min(len(self.text.tokens), self.room) + len(self.text.before) + len(self.text.after)

    def copies(self) -> list[MaskedCopy]:
        """A copy for each place."""
        return [self._copy(place) for place in self.places]

    def _copy(self, place: int) -> MaskedCopy:
        text, room = self.text, self.room
        latest = max(len(text.tokens) - room, 0)
        start = min(max(place - room // 2, 0), latest) if self.is_whole else latest
        window = list(text.tokens[start : start + room])
        position, end = place - start, min(text.word_ends[place] - start, len(window))
        window[position:end] = [self.mask_id] * (end - position)
        return MaskedCopy((*text.before, *window, *text.after), len(text.before) + position, text.tokens[place])


def _split(request: Request) -> tuple[str, str]:
    """What is only read, and what is predicted."""
    assert isinstance(request, PseudoLoglikelihood | Loglikelihood)
    return ("", request.text) if isinstance(request, PseudoLoglikelihood) else request.parted


def _families(requests: Sequence[Request], copies: Mapping[str, Mapping[int, int]]) -> list[list[Request]]:
    """The requests, those together that share a sequence to be read, directly or through others."""
    root = {request.id: request.id for request in requests}

    def find(name: str) -> str:
        while root[name] != name:
            root[name] = name = root[root[name]]
        return name

    first: dict[int, str] = {}
    for request in requests:
        for sequence in copies[request.id]:
            root[find(request.id)] = find(first.setdefault(sequence, request.id))
    families: dict[str, list[Request]] = {}
    for request in requests:
        families.setdefault(find(request.id), []).append(request)
    return list(families.values())


def _total(requests: Sequence[Request], copies: Mapping[str, Mapping[int, int]]) -> int:
    """Tokens of the distinct sequences of the requests."""
    distinct: dict[int, int] = {}
    for request in requests:
        distinct |= copies[request.id]
    return sum(distinct.values())


def _place(copy: MaskedCopy) -> tuple[int, int]:
    return copy.position, copy.target


def _answer(request: Request, reading: _Reading, verdicts: Mapping[MaskedCopy, ReadingScore]) -> Response:
    """The sum over a request's copies."""
    found = [verdict for copy in reading.copies() if (verdict := verdicts.get(copy))]
    total = math.fsum(verdict.loglikelihood for verdict in found)
    invalid = reading.invalid
    if len(found) < len(reading.places):
        invalid = NO_MEMORY
    elif not math.isfinite(total):
        invalid = NOT_FINITE
    greedy = all(verdict.is_greedy for verdict in found) if isinstance(request, Loglikelihood) else None
    return Response(
        request_id=request.id,
        loglikelihood=None if invalid else total,
        is_greedy=None if invalid else greedy,
        token_count=len(reading.places),
        context_token_count=reading.length,
        unread_character_count=reading.unread_character_count,
        invalid=invalid,
    )
