"""Draws tokens for one text, the same ones in any batch."""

import hashlib

import numpy as np
import torch
from torch import Tensor

from harness.core.requests import GenerateUntil

__all__ = ["Draws"]

_NUCLEUS = 512
"""Tokens among which a nucleus is looked for first."""


class Draws:
    """The tokens that a request draws, seeded by the request alone.

    The token wins whose probability is largest beside an exponential variate of its own, which gives each its
    probability (Gumbel, 1954). What rounding does to the scores changes a draw only where two tokens are as large to
    the last digits. A place in the sum of all probabilities would fall to another one of the rare tokens each time.
    """

    def __init__(self, request: GenerateUntil, device: torch.device) -> None:
        self._request = request
        seed = int.from_bytes(hashlib.sha256(f"{request.seed}:{request.id}".encode()).digest()[:8], "big") >> 1
        self._source: np.random.Generator | torch.Generator
        if device.type == "cpu":  # where torch takes three times as long for as many variates
            self._source = np.random.default_rng(seed)
        else:
            self._source = torch.Generator(device=device).manual_seed(seed)

    def token(self, logits: Tensor) -> int:
        """One drawn from the nucleus: the likeliest tokens that reach `top_p` together (Holtzman et al., 2020).

        `logits` has the length of the vocabulary. As in transformers, the nucleus is that of the `top_k` likeliest.
        """
        variates = self._variates(logits)
        scores, token_ids = logits / self._request.temperature, None
        if self._request.top_k is not None and self._request.top_k < len(scores):
            scores, token_ids = scores.topk(self._request.top_k)
        kept, places = _nucleus(scores.softmax(dim=-1), self._request.top_p)
        token_ids = places if token_ids is None else token_ids[places]
        return int(token_ids[(kept / variates[token_ids]).argmax()])

    def _variates(self, logits: Tensor) -> Tensor:
        if isinstance(self._source, np.random.Generator):
            return torch.from_numpy(self._source.standard_exponential(len(logits)))
        return torch.empty_like(logits, dtype=torch.float64).exponential_(generator=self._source)


def _nucleus(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The probabilities of the nucleus, falling, and their token ids; all words are sorted only where need be."""
    count = len(probabilities)
    if top_p >= 1:
        return probabilities, torch.arange(count, device=probabilities.device)
    kept, token_ids = probabilities.topk(min(_NUCLEUS, count))
    if float(kept.double().sum()) < top_p:
        kept, token_ids = probabilities.sort(descending=True)
    end = int((kept.double().cumsum(dim=-1) < top_p).sum()) + 1
    return kept[:end], token_ids[:end]
