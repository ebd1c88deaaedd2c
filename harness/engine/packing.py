"""Packed rows as a transformer takes them: token ids, depths as positions, and a mask of ancestors."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from harness.engine.tree import Row, Tokens

__all__ = ["Stem", "StemCache", "packed_arguments", "refusal"]

KeyValues = list[tuple[Tensor, Tensor]]

_ALIBI = frozenset({"bloom", "mpt"})
"""Models whose attention is biased by distance in the sequence, which in a packed row is not distance in the text."""


def refusal(model: Any) -> str | None:
    """Why rows of this model can't be packed, or continue from a stem; None where they can.

    Packing needs attention that depends on the mask and the position ids alone.
    """
    config = model.config.get_text_config(decoder=True)
    accepted = signature(model.forward).parameters
    layers = set(getattr(config, "layer_types", None) or ())
    if getattr(model, "_is_stateful", False) or not {"position_ids", "past_key_values"} <= set(accepted):
        return "it is recurrent, or takes no positions: a state can't branch inside a sequence"
    if config.model_type in _ALIBI or getattr(config, "alibi", False):
        return "its attention is biased by distance (ALiBi), which packing would change"
    if layers - {"full_attention"}:
        return f"some of its layers are of the kind {', '.join(sorted(layers - {'full_attention'}))}"
    window = getattr(config, "sliding_window", None)
    if window and getattr(config, "use_sliding_window", True):
        return f"its attention slides over {window} tokens"
    return None


def packed_arguments(rows: Sequence[Row], stem: "Stem | None", dtype: torch.dtype, device: Any) -> dict[str, Any]:
    """What the model's forward pass takes for rows that all follow `stem`: row-major, padded on the right.

    Plain sequences without a stem need no mask: padding stands where no real token looks.
    """
    width = max(len(row.tokens) for row in rows)
    token_ids = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        token_ids[index, : len(row.tokens)] = torch.tensor(row.tokens)
    arguments: dict[str, Any] = {"input_ids": token_ids.to(device), "use_cache": False}
    if stem is None and all(row.is_path for row in rows):
        return arguments
    before = len(stem.tokens) if stem else 0
    seen, depths = _seen(rows, width)
    mask = torch.full((len(rows), 1, width, before + width), torch.finfo(dtype).min, dtype=dtype)
    mask[:, 0, :, before:].masked_fill_(torch.from_numpy(seen), 0)
    mask[..., :before] = 0
    arguments["attention_mask"] = mask.to(device)
    arguments["position_ids"] = torch.from_numpy(depths + before).to(device)
    if stem is not None:
        arguments["past_key_values"] = stem.cache_for(len(rows))
        arguments["use_cache"] = True
    return arguments


def _seen(rows: Sequence[Row], width: int) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], np.ndarray[Any, Any]]:
    """Which tokens each token sees (itself and its ancestors), and how many are before it, by row."""
    seen = np.zeros((len(rows), width, width), dtype=bool)
    depths = np.zeros((len(rows), width), dtype=np.int64)
    seen[:, np.arange(width), np.arange(width)] = True
    for index, row in enumerate(rows):
        trunk, table, depth = row.trunk, seen[index], depths[index]
        table[:trunk, :trunk] = np.tri(trunk, dtype=bool)
        depth[:trunk] = np.arange(trunk)
        for node in range(trunk, len(row.parents)):
            parent = row.parents[node]
            if parent >= 0:
                table[node] |= table[parent]
                depth[node] = depth[parent] + 1
    return seen, depths


@dataclass(frozen=True, slots=True)
class Stem:
    """A path that was read once, with its keys and values in each layer."""

    tokens: Tokens
    chain: tuple[int, ...]
    key_values: KeyValues

    def cache_for(self, row_count: int) -> DynamicCache:
        """A cache that holds the stem for each of so many rows; the stem's own tensors stay as they are."""
        return DynamicCache(
            [
                (keys.expand(row_count, *keys.shape[1:]), values.expand(row_count, *values.shape[1:]))
                for keys, values in self.key_values
            ]
        )


class StemCache:
    """Keeps the last stem, and reads the next one from where the two part."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._stem: Stem | None = None

    def stem(self, tokens: Tokens, chain: tuple[int, ...]) -> tuple[Stem, int]:
        """The stem `tokens`, and how many tokens had to be read for it.

        It is always read in the pieces that `chain` gives, so its bytes don't depend on what was read before.
        """
        known = self._stem
        start = 0
        if known is not None:
            start = max((end for end in chain if end in known.chain and known.tokens[:end] == tokens[:end]), default=0)
        key_values = [(k[..., :start, :], v[..., :start, :]) for k, v in known.key_values] if known and start else []
        for begin, end in zip((0, *chain), chain, strict=False):
            if end > start:
                key_values = self._extend(key_values, tokens[begin:end])
        stem = Stem(tokens, chain, key_values)
        self._stem = stem
        return stem, len(tokens) - start

    def _extend(self, key_values: KeyValues, tokens: Tokens) -> KeyValues:
        cache = DynamicCache(key_values or None)
        token_ids = torch.tensor([tokens], device=self._model.device)
        with torch.inference_mode():
            self._model.base_model(input_ids=token_ids, past_key_values=cache, use_cache=True)
        return [(layer.keys, layer.values) for layer in cache.layers]
