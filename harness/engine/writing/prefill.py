"""Prompts read once, and the memory from which writing goes on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from harness.checkpoints.vocabulary import word_count
from harness.engine.packing import StemCache, packed_arguments
from harness.engine.planner import Pack
from harness.engine.scoring import forward_at
from harness.engine.tree import Tokens
from harness.engine.writing.memory import Memory

__all__ = ["ReadPack", "batching_error", "prefill_padded", "read_pack"]


def prefill_padded(model: Any, prompts: Sequence[Tokens], way: Callable[[int], int]) -> tuple[Memory, Tensor]:
    """The memory of distinct prompts, each a row, and the logits after each."""
    memory = Memory(model, prompts, way=way)
    return memory, memory.read()


@dataclass(frozen=True, slots=True, eq=False)
class ReadPack:
    """Prompts that were read together: each layer's keys and values, the logits after each prompt, and where it lies.

    `layers` hold those of the stem in front of those of the rows, `ends` the row of each prompt and the index of its
    last token there.
    """

    pack: Pack
    layers: Sequence[Any]
    logits: Mapping[Tokens, Tensor]
    ends: Mapping[Tokens, tuple[int, int]]

    def places(self, prompts: Sequence[Tokens], width: int) -> tuple[Tensor, Tensor]:
        """Rows, of shape (prompts, 1), and columns, of shape (prompts, width), of the prompts' tokens in the layers.

        What is beyond a prompt's end is of any token.
        """
        found = [self.ends[prompt] for prompt in prompts]
        device = self.layers[0].keys.device
        rows = torch.tensor([row for row, _ in found], device=device)[:, None]
        return rows, torch.tensor([self._columns(row, end, width) for row, end in found], device=device)

    def _columns(self, row: int, end: int, width: int) -> list[int]:
        before = len(self.pack.stem)
        path = [before + index for index in self.pack.rows[row].path(end)]
        return [*range(before), *path, *[0] * (width - before - len(path))]


def read_pack(model: Any, stems: StemCache, pack: Pack) -> tuple[ReadPack, int]:
    """The prompts of a pack, read, and how many tokens had to be read for that."""
    stem, read = stems.stem(pack.stem, pack.chain) if pack.stem else (None, 0)
    arguments = packed_arguments(model, pack.rows, stem)
    cache = arguments.setdefault("past_key_values", DynamicCache())
    ends = {prompt: (index, end) for index, row in enumerate(pack.rows) for prompt, end in row.ends.items()}
    width = arguments["input_ids"].shape[1]
    flat = np.array([index * width + end for index, end in ends.values()])
    logits, _ = forward_at(model, {**arguments, "use_cache": True}, flat)
    computed = read + sum(len(row.tokens) for row in pack.rows)
    return ReadPack(pack, cache.layers, dict(zip(ends, logits, strict=True)), ends), computed


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


def _difference(expected: Tensor, found: Tensor) -> float:
    """By how many nats two predictions differ about the likeliest token."""
    best = int(expected.argmax())
    return abs(float(expected.log_softmax(-1)[best] - found.log_softmax(-1)[best]))
