"""Gaussian noise on the embeddings of chosen tokens, such that what is read without noise stays shared.

A token with noise is an id of its own beyond every vocabulary, made from the token, the draw and its scale.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from typing_extensions import override

from harness.core.models import Batch, Model
from harness.core.requests import EmbeddingNoise, Request, Response
from harness.engine.tree import Tokens
from harness.engine.virtual import VirtualTokens

__all__ = ["Noiseless", "Offsets", "with_noise"]

Offsets = Sequence[tuple[int, int]]
"""Where each token's characters begin and end in its text; equal for a special token, which is no part of it."""

_FIRST = 1 << 62
"""The smallest id of a token with noise."""
_DIGEST_BYTES = 7

NO_OFFSETS = "its tokenizer doesn't tell where in the text a token stands, so no noise can be put on the question alone"


@dataclass(frozen=True, slots=True)
class _NoisyToken:
    token: int
    draw: str
    scale: float

    @property
    def id(self) -> int:
        text = f"{self.draw}:{self.scale!r}:{self.token}"
        return _FIRST + int.from_bytes(hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES], "big")


class _NoisyTokens(VirtualTokens):
    """Tokens of the vocabulary, each with a draw of noise."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, _FIRST)
        self._tokens: dict[int, _NoisyToken] = {}

    def learn(self, token: _NoisyToken) -> int:
        self._tokens[token.id] = token
        return token.id

    @override
    def real(self, token: int) -> int:
        return self._tokens[token].token

    @override
    def vectors(self, clean: Tensor, tokens: Sequence[int]) -> Tensor:
        asked = [self._tokens[one] for one in tokens]
        unique = {one.draw: index for index, one in enumerate({one.draw: one for one in asked}.values())}
        drawn = torch.stack([_normal(draw, clean.shape[-1]) for draw in unique])[[unique[one.draw] for one in asked]]
        clean = clean.float()
        scale = torch.tensor([one.scale for one in asked], device=clean.device)[:, None]
        loudness = clean.square().mean(dim=-1, keepdim=True).sqrt() * scale
        return clean + loudness * drawn.to(clean.device)


_embeddings: WeakKeyDictionary[Any, _NoisyTokens] = WeakKeyDictionary()


def with_noise(
    model: Any, tokens: Tokens, offsets: Offsets, noise: EmbeddingNoise | None, among: Iterable[int] | None = None
) -> Tokens:
    """The tokens of a text, those that lie in the spans of the noise replaced by ids that the model reads with noise.

    `among` are the indices that may be replaced; all by default. Ids depend on token, noise and place alone.
    """
    if noise is None or noise.scale == 0:
        return tokens
    found = list(tokens)
    place = 0
    for index in range(len(tokens)) if among is None else among:
        start, end = offsets[index]
        if start < end and any(first <= start and end <= last for first, last in noise.spans):
            if model not in _embeddings:
                _embeddings[model] = _NoisyTokens(model)
            one = _NoisyToken(tokens[index], f"{noise.seed}:{place}", noise.scale)
            found[index] = _embeddings[model].learn(one)
            place += 1
    return tuple(found)


def _normal(draw: str, width: int) -> Tensor:
    seed = int.from_bytes(hashlib.sha256(draw.encode()).digest()[:8], "big") >> 1
    return torch.randn(width, generator=torch.Generator().manual_seed(seed))


class Noiseless(Model):
    """A model whose tokenizer can't say which tokens are to bear noise: such requests are invalid, with the reason."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Requests with noise first, in a batch of their own."""
        noisy = tuple(sorted((one for one in requests if _is_noisy(one)), key=lambda one: one.id))
        others = self.model.plan([one for one in requests if not _is_noisy(one)])
        return [*([Batch(noisy)] if noisy else []), *others]

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        if all(map(_is_noisy, batch.requests)):
            return [Response(request_id=request.id, invalid=NO_OFFSETS) for request in batch.requests]
        return self.model.answer(batch)


def _is_noisy(request: Request) -> bool:
    return getattr(request, "noise", None) is not None
