"""Prompts read once, and the memory from which writing goes on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from harness.checkpoints.vocabulary import word_count
from harness.engine.packing import StemCache, packed_arguments
from harness.engine.planner import Pack
from harness.engine.scoring import forward_at
from harness.engine.tree import Row, Tokens
from harness.engine.writing.memory import Memory, cache_with_room

__all__ = ["batching_error", "prefill_packed", "prefill_padded"]


def prefill_padded(model: Any, prompts: Sequence[Tokens], way: Callable[[int], int]) -> tuple[Memory, Tensor]:
    """The memory of distinct prompts, each a row, and the logits after each."""
    memory = Memory(model, prompts, way=way)
    return memory, memory.read()


def prefill_packed(
    model: Any,
    stems: StemCache,
    packs: Sequence[Pack],
    prompts: Sequence[Tokens],
    *,
    room: int,
    way: Callable[[int], int],
) -> tuple[Memory, Tensor, int]:
    """The memory of distinct prompts that lie in `packs`, the logits after each, and how many tokens were read.

    What prompts share is read once; then the keys and values on each prompt's path are put together in a row, with
    room for so many tokens more.
    """
    places = {prompt: index for index, prompt in enumerate(prompts)}
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
        at = torch.tensor([places[prompt] for prompt, _, _ in ends])
        if not joined:
            shape = len(prompts), width + room
            joined = [(_empty(layer.keys, *shape), _empty(layer.values, *shape)) for layer in cache.layers]
        for layer, (keys, values) in zip(cache.layers, joined, strict=True):
            keys[at, :, :width] = layer.keys[rows, :, columns].transpose(1, 2)
            values[at, :, :width] = layer.values[rows, :, columns].transpose(1, 2)
        computed += read + sum(len(row.tokens) for row in pack.rows)
    memory = Memory(model, prompts, cache_with_room(joined, width), way=way)
    return memory, torch.stack([logits[prompt] for prompt in prompts]), computed


def batching_error(model: Any, lengths: tuple[int, int]) -> float:
    """The largest difference, in nats, that a second text in the batch makes to a first one; for a self-check.

    The texts have `lengths` tokens. Compared is what is predicted after the first one, and, by the cache, after one
    and two more tokens.
    """
    words = word_count(model)
    first, second = (tuple((step * 7 + row + 3) % words for step in range(lengths[row])) for row in range(2))
    alone, together = Memory(model, [first]), Memory(model, [second, first])
    expected, found = alone.read()[0], together.read()[1]
    errors = [_difference(expected, found)]
    for _ in range(2):
        token = int(expected.argmax())
        expected, found = alone.append([token])[0], together.append([(token + 1) % words, token])[1]
        errors.append(_difference(expected, found))
    return max(errors)


def _columns(row: Row, end: int, before: int, width: int) -> list[int]:
    """The columns of a stem of `before` tokens and of the path in the row that ends at `end`, padded on the left."""
    path = [before + index for index in row.path(end)]
    return [*[0] * (width - before - len(path)), *range(before), *path]


def _empty(like: Tensor, rows: int, width: int) -> Tensor:
    return like.new_empty((rows, like.shape[1], width, like.shape[3]))


def _difference(expected: Tensor, found: Tensor) -> float:
    """By how many nats two predictions differ about the likeliest token."""
    best = int(expected.argmax())
    return abs(float(expected.log_softmax(-1)[best] - found.log_softmax(-1)[best]))
