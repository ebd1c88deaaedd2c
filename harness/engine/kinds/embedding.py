"""The model of sentence encoders: each text becomes one vector, by the recipe that the checkpoint's files give.

Pooling is that of sentence-transformers (Reimers and Gurevych, "Sentence-BERT", EMNLP-IJCNLP 2019).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.sentence import Recipe
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Embed, Request, Response
from harness.engine.encoding import Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.lengths import known_lengths
from harness.engine.padding import ordered_rows, padded, padding_id, pads_exactly
from harness.engine.planner import cut

__all__ = ["EncoderModel"]

_NOT_FINITE = "the model's states are NaN or infinite"
_NO_TOKENS = "the text has no token"


class EncoderModel(Model):
    """Answers `Embed` requests with a loaded encoder (`Model` in core).

    Prompt, pooling and norm are those of sentence-transformers' files in the checkpoint's folder, the plain mean over
    tokens where there are none. A text that is too long loses its end. Texts that are cut into the same tokens are
    read once. Of a model with encoder and decoder, the encoder is read. `batch_tokens` bounds the padded tokens of one
    forward pass, and halves where the memory doesn't suffice; it changes no vector by more than rounding.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        model = loaded.model
        self.model = model.get_encoder() if model.config.is_encoder_decoder else model
        self.device = model.device
        self.tokenizer = loaded.tokenizer
        self._pad_id = padding_id(loaded.model, loaded.tokenizer)
        self.recipe = loaded.recipe or Recipe(declared=False)
        self.max_length = loaded.max_length
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self._way = known_lengths(self.model).way
        self._tokens: dict[str, Tokens] = {}
        self._passes: Halving[Tokens, dict[Tokens, tuple[float, ...]]] = Halving(batch_tokens)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Texts of like length together, equal ones in the same batch."""
        self._encode(requests)
        askers: dict[Tokens, list[Request]] = {}
        for request in sorted(requests, key=lambda request: request.id):
            askers.setdefault(self._tokens[request.id], []).append(request)
        ordered = sorted(askers, key=lambda tokens: (-len(tokens), tokens))
        batches = []
        for part in cut([len(tokens) for tokens in ordered], self.batch_tokens):
            chosen = ordered[part.start : part.stop]
            asked = sum(len(tokens) * len(askers[tokens]) for tokens in chosen)
            found = tuple(request for tokens in chosen for request in askers[tokens])
            batches.append(Batch(found, None, asked, sum(map(len, chosen))))
        return batches

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        vectors: dict[Tokens, tuple[float, ...]] = {}
        texts = {self._tokens[request.id] for request in batch.requests} - {()}
        for rows in ordered_rows(texts, pads=self._pads, way=self._way):
            for _, found in self._passes.run(rows, len, self._embed):
                vectors |= found or {}
        self.meter.count(tokens=0, requests=len(batch.requests))
        return list(self._answers(batch.requests, vectors))

    def _answers(self, requests: Sequence[Request], vectors: Mapping[Tokens, tuple[float, ...]]) -> Iterator[Response]:
        for request in requests:
            tokens = self._tokens[request.id]
            vector, reason = vectors.get(tokens), None
            if vector is None:
                reason = NO_MEMORY if tokens else _NO_TOKENS
            elif not all(map(math.isfinite, vector)):
                vector, reason = None, _NOT_FINITE
            yield Response(
                request_id=request.id,
                vector=vector,
                context_token_count=len(tokens),
                unread_character_count=self._unread(request, tokens),
                invalid=reason,
            )

    def _unread(self, request: Request, tokens: Tokens) -> int:
        """How many characters at the end of a text are lost."""
        assert isinstance(request, Embed)
        if len(tokens) < self.max_length or not self.tokenizer.is_fast:
            return 0
        text = self.recipe.prompt + request.text
        kept = self.tokenizer(
            text.lower() if self.recipe.lowercase else text,
            truncation=True,
            max_length=self.max_length,
            return_offsets_mapping=True,
            verbose=False,
        )
        return len(text.rstrip()[max(end for _, end in kept["offset_mapping"]) :])

    def _encode(self, requests: Sequence[Request]) -> None:
        new = [request for request in requests if request.id not in self._tokens]
        texts = [self.recipe.prompt + request.text for request in new if isinstance(request, Embed)]
        refuse_others(new, (Embed,), "a sentence encoder")
        if not texts:
            return
        if self.recipe.lowercase:
            texts = [text.lower() for text in texts]
        rows = self.tokenizer(
            texts, truncation=True, max_length=self.max_length, return_attention_mask=False, verbose=False
        )
        self._tokens.update((request.id, tuple(row)) for request, row in zip(new, rows["input_ids"], strict=True))

    @cached_property
    def _pads(self) -> bool:
        def compute(rows: Sequence[Tokens]) -> list[tuple[float, ...]]:
            found = self._embed(rows)
            return [found[tokens] for tokens in rows]

        return pads_exactly(self.model, compute)

    def _embed(self, group: Sequence[Tokens]) -> dict[Tokens, tuple[float, ...]]:
        arguments = padded(group, self._pad_id, self.device)
        with torch.inference_mode():
            states = self.model(**arguments).last_hidden_state.float()
            mask = arguments["attention_mask"].unsqueeze(-1).float()
            vectors = torch.cat([_POOLS[name](states, mask) for name in self.recipe.poolings], dim=-1)
            if self.recipe.normalize:
                vectors = torch.nn.functional.normalize(vectors, dim=-1)
        self.meter.count(tokens=sum(map(len, group)), requests=0)
        return {tokens: tuple(row) for tokens, row in zip(group, vectors.cpu().tolist(), strict=True)}


def _sum(states: Tensor, mask: Tensor) -> Tensor:
    # Padding may hold NaN, which no multiplication by 0 removes.
    return states.masked_fill(mask == 0, 0).sum(dim=1)


def _last(states: Tensor, mask: Tensor) -> Tensor:
    ends = mask.squeeze(-1).sum(dim=1).long() - 1
    return states[torch.arange(len(states), device=states.device), ends]


def _weighted(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.cumsum(dim=1) * mask
    return _sum(states * weights, mask) / weights.sum(dim=1)


_POOLS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": lambda states, _mask: states[:, 0],
    "mean": lambda states, mask: _sum(states, mask) / mask.sum(dim=1),
    "max": lambda states, mask: states.masked_fill(mask == 0, float("-inf")).amax(dim=1),
    "mean_sqrt_len": lambda states, mask: _sum(states, mask) / mask.sum(dim=1).sqrt(),
    "weightedmean": _weighted,
    "lasttoken": _last,
}
"""Vectors of shape (texts, width) from states of shape (texts, tokens, width), and a mask of 1 for real tokens."""
