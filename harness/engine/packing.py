"""Packed rows as a transformer takes them: token ids, depths as positions, and a mask of ancestors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from harness.core.text.reasons import Reason, told_together
from harness.engine.kernels.ancestors import Ancestors
from harness.engine.kernels.choice import faster_kernels
from harness.engine.kernels.masks import attention_windows
from harness.engine.states import State, padded_beginnings
from harness.engine.tree import Row, Tokens

__all__ = ["Stem", "StemCache", "packed_arguments", "refusal"]

KeyValues = list[tuple[Tensor, Tensor]]

_UNDERSTOOD = frozenset({"full_attention", "sliding_attention"})
_OTHER_LIMITS = re.compile(
    r"alibi|window|local_att|chunk_size$|attention_types|block_(size|types)|block_type|bidirectional"
)
"""Names under which configs describe attention (or a recurrence) that depends on more than mask and position ids."""
_HARMLESS = re.compile(r"sliding_window(_pattern)?$|^max_window_layers$|^use_bidirectional_attention$")


def refusal(model: Any) -> Reason | None:
    """Why rows of this model can't be packed, or continue from a stem; None where they can.

    Packing needs attention that depends on the mask and the position ids alone, and takes both as given.
    """
    config = model.config.get_text_config(decoder=True)
    if getattr(model, "_is_stateful", False):
        return Reason("it is recurrent: a state can't branch inside a sequence")
    missing = {"position_ids", "past_key_values"} - set(signature(model.forward).parameters)
    if missing:
        names = told_together(sorted(missing), " and no ")
        return Reason("it takes no {names}, so a packed token can't be told where it stands", names=names)
    if others := set(attention_windows(model)) - _UNDERSTOOD:
        return Reason("some of its layers are of the kind {names}", names=", ".join(sorted(others)))
    settings = config.to_dict()
    for name in sorted(settings):
        if _OTHER_LIMITS.search(name) and not _HARMLESS.search(name) and settings[name]:
            return Reason(
                "its attention depends on {name} ({value}), which packing would change",
                name=name,
                value=str(settings[name]),
            )
    if settings.get("use_bidirectional_attention") is True:
        return Reason("its attention is not causal")
    return None


def packed_arguments(model: Any, rows: Sequence[Row], stem: "Stem | State | None" = None) -> dict[str, Any]:
    """What the model's forward pass takes for rows that all follow `stem`: row-major, padded on the right.

    Plain sequences without a stem need no mask: padding stands where no real token looks.
    """
    if isinstance(stem, State):
        return stem.arguments(model, rows)
    arguments: dict[str, Any] = {"input_ids": padded_beginnings(model, rows), "use_cache": False}
    if stem is None and all(row.is_path for row in rows):
        return arguments
    before = len(stem.tokens) if stem else 0
    seen = Ancestors.of(rows, before, model.device)
    arguments |= seen.arguments(model)
    if stem is not None:
        arguments["past_key_values"] = stem.cache_for(len(rows))
        arguments["use_cache"] = True
    return arguments


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

    def clear(self) -> None:
        """Let go of the stem, such as because the weights are others from now on."""
        self._stem = None

    @cached_property
    def token_bytes(self) -> int:
        """Bytes that the keys and values of one token take, over all layers."""
        return sum(states.nbytes for pair in self._extend([], (0,)) for states in pair)

    def _extend(self, key_values: KeyValues, tokens: Tokens) -> KeyValues:
        cache = DynamicCache(key_values or None)
        token_ids = torch.tensor([tokens], device=self._model.device)
        arguments = {"input_ids": token_ids, "past_key_values": cache, "use_cache": True}
        with torch.inference_mode(), faster_kernels(self._model, arguments):
            self._model.base_model(**arguments)
        return [(layer.keys, layer.values) for layer in cache.layers]
