"""Draws tokens for texts, the same ones in any batch."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from harness.core.requests import GenerateUntil

__all__ = ["Draws", "draw_tokens"]

_NUCLEUS = 512
"""Tokens among which a nucleus is looked for first."""


class Draws:
    """The variates by which the tokens of one text are drawn, seeded by its request alone."""

    def __init__(self, request: GenerateUntil, device: torch.device) -> None:
        self.request = request
        seed = int.from_bytes(hashlib.sha256(f"{request.seed}:{request.id}".encode()).digest()[:8], "big") >> 1
        # On a CPU, torch takes three times as long for as many variates.
        self._rng: np.random.Generator | torch.Generator = (
            np.random.default_rng(seed) if device.type == "cpu" else torch.Generator(device=device).manual_seed(seed)
        )

    @property
    def settings(self) -> tuple[float, float, int | None]:
        """What decides among which tokens is drawn: temperature, top-p and top-k."""
        return self.request.temperature, self.request.top_p, self.request.top_k

    def variates(self, logits: Tensor) -> Tensor:
        """An exponential variate for each token of the vocabulary, other ones at each call."""
        if isinstance(self._rng, np.random.Generator):
            return torch.from_numpy(self._rng.standard_exponential(len(logits)))
        return torch.empty_like(logits, dtype=torch.float64).exponential_(generator=self._rng)


def draw_tokens(draws: Sequence[Draws], logits: Sequence[Tensor]) -> list[int]:
    """The next token of each text, from logits of shape (vocabulary,) each.

    A token is drawn from the nucleus: the likeliest ones that reach `top_p` together (Holtzman et al., 2020), among the
    `top_k` likeliest as in transformers. The token wins whose probability is largest beside an exponential variate of
    its own, which gives each its probability (Gumbel, 1954). What rounding does to the logits changes a draw only where
    two tokens are as large to the last digits; a place in the sum of all probabilities would fall to another one of the
    rare tokens each time.
    """
    groups: dict[tuple[float, float, int | None], list[int]] = {}
    for place, one in enumerate(draws):
        groups.setdefault(one.settings, []).append(place)
    drawn: dict[int, int] = {}
    for settings, places in groups.items():
        # An accelerator waits for the host at each row; a processor's cache holds one row.
        step = 1 if logits[0].device.type == "cpu" else len(places)
        for start in range(0, len(places), step):
            chosen = places[start : start + step]
            variates = torch.stack([draws[place].variates(logits[place]) for place in chosen])
            winners = _race(torch.stack([logits[place] for place in chosen]), variates, *settings)
            drawn.update(zip(chosen, winners, strict=True))
    return [drawn[place] for place in range(len(draws))]


def _race(logits: Tensor, variates: Tensor, temperature: float, top_p: float, top_k: int | None) -> list[int]:
    """The winner of each row; both tensors have the shape (rows, vocabulary)."""
    scores, token_ids = logits / temperature, None
    if top_k is not None and top_k < scores.shape[1]:
        scores, token_ids = scores.topk(top_k)
    probabilities = scores.softmax(dim=-1)
    if len(logits) > 1 and top_p < 1 and not _is_narrow(probabilities, top_p):
        # Sorted or not, words of one probability come in another order: a text's must not hang on its neighbours.
        rows = zip(logits.split(1), variates.split(1), strict=True)
        return [_race(row, own, temperature, top_p, top_k)[0] for row, own in rows]
    kept, places = _nucleus(probabilities, top_p)
    if places is not None:
        token_ids = places if token_ids is None else token_ids.gather(1, places)
    if token_ids is None:
        return [int(token) for token in (kept / variates).argmax(dim=-1).tolist()]
    winners = (kept / variates.gather(1, token_ids)).argmax(dim=-1, keepdim=True)
    return [int(token) for token in token_ids.gather(1, winners)[:, 0].tolist()]


def _is_narrow(probabilities: Tensor, top_p: float) -> bool:
    """Whether the nucleus of each row is among its few likeliest words."""
    kept = probabilities.topk(min(_NUCLEUS, probabilities.shape[1])).values
    return float(kept.double().sum(dim=-1).min()) >= top_p


def _nucleus(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor | None]:
    """The probabilities of each row's nucleus, falling, then 0, and their places; None for all, where they stand.

    All words are sorted only where need be.
    """
    count = probabilities.shape[1]
    if top_p >= 1:
        return probabilities, None
    if _is_narrow(probabilities, top_p):
        kept, places = probabilities.topk(min(_NUCLEUS, count))
    else:
        kept, places = probabilities.sort(descending=True)
    reached = kept.double().cumsum(dim=-1)
    inside = torch.nn.functional.pad(reached[:, :-1] < top_p, (1, 0), value=True)
    return kept * inside, places
