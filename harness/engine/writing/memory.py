"""What a model remembers of the texts that it is writing."""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Cache

from harness.engine.lengths import ALIKE
from harness.engine.scoring import forward_at
from harness.engine.tree import Tokens

__all__ = ["Memory"]

_CACHES = ("past_key_values", "cache_params", "state")
"""What models call the memory that they take and give back: of keys and values, or a recurrent state."""


class Memory:
    """What a model remembers of a batch of texts, each a row, padded on the left.

    That is the model's own cache, of whatever kind. A model without one that can be taken apart by rows reads all
    tokens again at each step, and so does one that reads texts of the new length in another `way` (`Lengths.way`):
    rows that may come to that must have one length.
    """

    def __init__(self, model: Any, rows: Sequence[Tokens], *, way: Callable[[int], int] = ALIKE.way) -> None:
        width = max(map(len, rows))
        padded = [(width - len(row)) * [0] + list(row) for row in rows]
        self._model = model
        self._parameters = signature(model.forward).parameters
        self._cache: Any = None
        self._way = way
        self._token_ids = torch.tensor(padded, device=model.device)
        lengths = torch.tensor([len(row) for row in rows], device=model.device)
        self._mask = (torch.arange(width, device=model.device) >= width - lengths[:, None]).long()

    def read(self) -> Tensor:
        """Logits of shape (rows, vocabulary) after the whole texts."""
        return self._forward(self._token_ids)

    def append(self, token_ids: Sequence[int]) -> Tensor:
        """Logits of shape (rows, vocabulary) after one more token in each row."""
        step = torch.tensor(token_ids, device=self._model.device)[:, None]
        width = self._token_ids.shape[1]
        if self._way(width + 1) != self._way(width):
            self._cache = None
        self._token_ids = torch.cat([self._token_ids, step], dim=1)
        self._mask = torch.cat([self._mask, torch.ones_like(step)], dim=1)
        return self._forward(step if self._cache is not None else self._token_ids)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order; one may be there several times."""
        if list(rows) == list(range(len(self._token_ids))):
            return
        index = torch.tensor(rows, device=self._model.device, dtype=torch.long)
        self._token_ids, self._mask = self._token_ids[index], self._mask[index]
        if isinstance(self._cache, Cache):
            self._cache.reorder_cache(index)
        elif self._cache is not None:
            self._cache = [state.index_select(0, index) for state in self._cache]

    def _forward(self, token_ids: Tensor) -> Tensor:
        rows, width = token_ids.shape
        arguments: dict[str, Any] = {"attention_mask": self._mask, "use_cache": True}
        if "position_ids" in self._parameters:
            arguments["position_ids"] = (self._mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
        name = next((name for name in _CACHES if name in self._parameters), None)
        if name and self._cache is not None:
            arguments[name] = self._cache
        inputs = self._model.prepare_inputs_for_generation(
            token_ids, is_first_iteration=self._cache is None, **arguments
        )
        # Some models would keep the last positions alone, and `forward_at` counts from the first.
        inputs.pop("logits_to_keep", None)
        logits, output = forward_at(self._model, inputs, np.arange(rows) * width + width - 1)
        self._cache = _separable(getattr(output, name, None)) if name else None
        return logits


def _separable(cache: Any) -> Any:
    """The cache, if its rows can be told apart; None if they can't."""
    is_states = isinstance(cache, list | tuple) and all(isinstance(state, Tensor) for state in cache)
    return cache if isinstance(cache, Cache) or is_states else None
