"""The keys and values of rows that come and go: where one text has ended, another takes its place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, DynamicLayer

from harness.engine.kernels.masks import masks
from harness.engine.scoring import forward_at
from harness.engine.tree import Tokens
from harness.engine.writing.prefill import ReadPack

__all__ = ["Slots"]


class _Layer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values, of shape (slots, heads, capacity, width); each row's next token goes to its end."""

    def __init__(self, like: Any, count: int, capacity: int) -> None:
        super().__init__()
        self.dtype, self.device, self.is_initialized = like.keys.dtype, like.keys.device, True
        self.all_keys, self.all_values = (
            states.new_zeros((count, states.shape[1], capacity, states.shape[3])) for states in (like.keys, like.values)
        )

    def expect(self, count: int, width: int, places: tuple[Tensor, Tensor] | None) -> None:
        """The next token of each of `count` rows stands where that row ends; `width` is of the longest without it.

        `places` are the rows and their ends, None where all have `width` tokens.
        """
        self._count, self._places = count, places
        self._show(width)

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_kwargs: Any) -> tuple[Tensor, Tensor]:
        """Put each row's token at its end, and give all rows up to the longest."""
        width = self.keys.shape[2]
        for states, new in ((self.all_keys, key_states), (self.all_values, value_states)):
            if self._places is None:
                states[: self._count, :, width] = new[:, :, 0]
            else:
                rows, ends = self._places
                states[rows, :, ends] = new[:, :, 0]
        self._show(width + 1)
        return self.keys, self.values

    def _show(self, width: int) -> None:
        self.keys, self.values = self.all_keys[: self._count, :, :width], self.all_values[: self._count, :, :width]


class Slots:
    """Memory for `count` texts of at most `capacity` tokens, of which the first so many are being written.

    Each row begins at the first column and ends where its text does, so one may begin while others are half written.
    Where one has ended, the last one moves. A mask says what a token sees, so this is for models that can be packed.
    """

    def __init__(self, model: Any, count: int, capacity: int) -> None:
        self.count = count
        self._capacity = capacity
        self._model = model
        self._layers: list[_Layer] = []
        self._lengths: list[int] = []

    @property
    def free(self) -> int:
        """How many rows may begin."""
        return self.count - len(self._lengths)

    def begin(self, read: ReadPack, prompts: Sequence[Tokens]) -> None:
        """New rows, behind those that are there, which go on from prompts that were read; one may be there again."""
        if not self._layers:
            self._layers = [_Layer(layer, self.count, self._capacity) for layer in read.layers]
        width = max(map(len, prompts))
        start, stop = len(self._lengths), len(self._lengths) + len(prompts)
        rows, columns = read.places(prompts, width)
        for layer, source in zip(self._layers, read.layers, strict=True):
            layer.all_keys[start:stop, :, :width] = source.keys[rows, :, columns].transpose(1, 2)
            layer.all_values[start:stop, :, :width] = source.values[rows, :, columns].transpose(1, 2)
        self._lengths += map(len, prompts)

    def append(self, token_ids: Sequence[int]) -> Tensor:
        """Logits of shape (rows, vocabulary) after one more token in each row."""
        device = self._model.device
        count, width = len(self._lengths), max(self._lengths)
        ends = torch.tensor(self._lengths, device=device)
        places = None if len(set(self._lengths)) == 1 else (torch.arange(count, device=device), ends)
        for layer in self._layers:
            layer.expect(count, width, places)
        cache = DynamicCache()
        cache.layers = self._layers
        arguments = {
            "input_ids": torch.tensor(token_ids, device=device)[:, None],
            "position_ids": ends[:, None],
            "past_key_values": cache,
            "use_cache": True,
        }
        if places is not None:
            distances = ends[:, None] - torch.arange(width + 1, device=device)
            arguments["attention_mask"] = masks(self._model, lambda window: self._mask(distances, window))
        logits, _ = forward_at(self._model, arguments, np.arange(len(self._lengths)))
        self._lengths = [length + 1 for length in self._lengths]
        return logits

    def end(self, row: int, *, clean: bool = False) -> None:
        """Let go of a row; the last one moves to its place. `clean` where what it holds is no number."""
        last = len(self._lengths) - 1
        length = self._lengths.pop()
        for layer in self._layers:
            for states in (layer.all_keys, layer.all_values):
                if clean:
                    states[row] = 0
                if row < last:
                    states[row, :, :length] = states[last, :, :length]
        if row < last:
            self._lengths[row] = length

    def _mask(self, distances: Tensor, window: int | None) -> Tensor:
        """What is added to the attention scores, by how many tokens each column lies before the one that is read."""
        unseen = (distances < 0) if window is None else (distances < 0) | (distances >= window)
        mask = torch.zeros(distances.shape, dtype=self._model.dtype, device=distances.device)
        return mask.masked_fill_(unseen, torch.finfo(mask.dtype).min)[:, None, None]
