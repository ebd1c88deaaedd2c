"""Prompts read once, and the memory from which writing goes on."""

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Cache, DynamicCache

from harness.engine.packing import StemCache, packed_arguments
from harness.engine.planner import Pack
from harness.engine.scoring import forward_at
from harness.engine.tree import Row, Tokens

__all__ = ["Memory", "batching_error", "prefill_packed", "prefill_padded"]

_CACHES = ("past_key_values", "cache_params", "state")
"""What models call the memory that they take and give back: of keys and values, or a recurrent state."""


class Memory:
    """What a model remembers of a batch of texts, each a row, padded on the left.

    That is the model's own cache, of whatever kind. A model without one that can be taken apart by rows reads all
    tokens again at each step.
    """

    def __init__(self, model: Any, rows: Sequence[Tokens], cache: Any = None) -> None:
        width = max(map(len, rows))
        padded = [(width - len(row)) * [0] + list(row) for row in rows]
        self._model = model
        self._parameters = signature(model.forward).parameters
        self._cache = cache
        self._token_ids = torch.tensor(padded, device=model.device)
        lengths = torch.tensor([len(row) for row in rows], device=model.device)
        self._mask = (torch.arange(width, device=model.device) >= width - lengths[:, None]).long()

    def read(self) -> Tensor:
        """Logits of shape (rows, vocabulary) after the whole texts."""
        return self._forward(self._token_ids)

    def append(self, token_ids: Sequence[int]) -> tuple[Tensor, int]:
        """Logits after one more token in each row, and how many tokens had to be read for it."""
        step = torch.tensor(token_ids, device=self._model.device)[:, None]
        self._token_ids = torch.cat([self._token_ids, step], dim=1)
        self._mask = torch.cat([self._mask, torch.ones_like(step)], dim=1)
        read = step if self._cache is not None else self._token_ids
        return self._forward(read), read.numel()

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
        logits, output = forward_at(self._model, inputs, np.arange(rows) * width + width - 1)
        self._cache = _separable(getattr(output, name, None)) if name else None
        return logits


def prefill_padded(model: Any, prompts: Sequence[Tokens]) -> tuple[Memory, Tensor]:
    """The memory of distinct prompts, each a row, and the logits after each."""
    memory = Memory(model, prompts)
    return memory, memory.read()


def prefill_packed(
    model: Any, stems: StemCache, packs: Sequence[Pack], prompts: Sequence[Tokens]
) -> tuple[Memory, Tensor, int]:
    """The memory of distinct prompts that lie in `packs`, the logits after each, and how many tokens were read.

    What prompts share is read once; then the keys and values on each prompt's path are put together in a row.
    """
    width = max(map(len, prompts))
    logits: dict[Tokens, Tensor] = {}
    joined: list[tuple[Tensor, Tensor]] = []
    computed = 0
    for pack in packs:
        stem, read = stems.stem(pack.stem, pack.chain) if pack.stem else (None, 0)
        arguments = packed_arguments(model, pack.rows, stem)
        cache = arguments.setdefault("past_key_values", DynamicCache())
        ends = [(prompt, index, end) for index, row in enumerate(pack.rows) for prompt, end in row.ends.items()]
        flat = np.array([index * arguments["input_ids"].shape[1] + end for _, index, end in ends])
        found, _ = forward_at(model, {**arguments, "use_cache": True}, flat)
        logits.update((prompt, after) for (prompt, _, _), after in zip(ends, found, strict=True))
        rows = torch.tensor([index for _, index, _ in ends])[:, None]
        columns = torch.tensor([_columns(pack.rows[index], end, len(pack.stem), width) for _, index, end in ends])
        places = torch.tensor([prompts.index(prompt) for prompt, _, _ in ends])
        joined = joined or [
            (_room(layer.keys, len(prompts), width), _room(layer.values, len(prompts), width)) for layer in cache.layers
        ]
        for layer, (keys, values) in zip(cache.layers, joined, strict=True):
            keys[places] = layer.keys[rows, :, columns].transpose(1, 2)
            values[places] = layer.values[rows, :, columns].transpose(1, 2)
        computed += read + sum(len(row.tokens) for row in pack.rows)
    memory = Memory(model, prompts, DynamicCache(joined))
    return memory, torch.stack([logits[prompt] for prompt in prompts]), computed


def batching_error(model: Any, lengths: tuple[int, int]) -> float:
    """The largest difference, in nats, that a second text in the batch makes to a first one; for a self-check.

    The texts have `lengths` tokens. Compared is what is predicted after the first one, and, by the cache, after one
    and two more tokens.
    """
    words = model.get_input_embeddings().num_embeddings
    first, second = (tuple((step * 7 + row + 3) % words for step in range(lengths[row])) for row in range(2))
    alone, together = Memory(model, [first]), Memory(model, [second, first])
    expected, found = alone.read()[0], together.read()[1]
    errors = [_difference(expected, found)]
    for _ in range(2):
        token = int(expected.argmax())
        expected, found = alone.append([token])[0][0], together.append([(token + 1) % words, token])[0][1]
        errors.append(_difference(expected, found))
    return max(errors)


def _columns(row: Row, end: int, before: int, width: int) -> list[int]:
    """The columns of a stem of `before` tokens and of the path in the row that ends at `end`, padded on the left."""
    path = [before + index for index in row.path(end)]
    return [*[0] * (width - before - len(path)), *range(before), *path]


def _room(like: Tensor, rows: int, width: int) -> Tensor:
    return like.new_empty((rows, like.shape[1], width, like.shape[3]))


def _separable(cache: Any) -> Any:
    """The cache, if its rows can be told apart; None if they can't."""
    is_states = isinstance(cache, list | tuple) and all(isinstance(state, Tensor) for state in cache)
    return cache if isinstance(cache, Cache) or is_states else None


def _difference(expected: Tensor, found: Tensor) -> float:
    """By how many nats two predictions differ about the likeliest token."""
    best = int(expected.argmax())
    return abs(float(expected.log_softmax(-1)[best] - found.log_softmax(-1)[best]))
