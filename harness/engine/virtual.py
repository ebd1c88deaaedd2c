"""Tokens that no vocabulary has: ids beyond every one, for which the embedding layer gives vectors of another origin.

Whatever sorts, shares, packs and batches token ids therefore treats equal vectors as equal tokens; only the embedding
itself knows better.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor

from harness.engine.tree import Tokens

__all__ = ["VirtualTokens", "real_tokens"]

_SPAN = 1 << 60
"""So many ids from its first one on may each sort of virtual tokens have."""


class VirtualTokens(ABC):
    """One sort of virtual tokens of a model: ids from `first` on, at least 2^61, in spans that don't overlap."""

    def __init__(self, model: Any, first: int) -> None:
        self.first = first
        for layer in _embedding_layers(model):
            layer.register_forward_pre_hook(self._without)
            layer.register_forward_hook(self._filled)
        self._asked: list[tuple[Tensor, list[int]]] = []
        _sorts.setdefault(model, WeakSet()).add(self)

    @abstractmethod
    def real(self, token: int) -> int:
        """The token of the vocabulary that stands for a virtual one."""

    @abstractmethod
    def vectors(self, clean: Tensor, tokens: Sequence[int]) -> Tensor:
        """The embeddings of virtual tokens, of shape (tokens, width); `clean` are those of the real ones."""

    def holds(self, token: int) -> bool:
        """Whether an id is of this sort."""
        return self.first <= token < self.first + _SPAN

    def _without(self, _layer: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The ids that the vocabulary knows; which were others is kept until the embeddings are there."""
        ids, *others = inputs
        where = (ids >= self.first) & (ids < self.first + _SPAN)
        asked = ids[where].tolist()
        self._asked.append((where, asked))
        if not asked:
            return inputs
        known = ids.clone()
        known[where] = torch.tensor([self.real(one) for one in asked], device=ids.device)
        return known, *others

    def _filled(self, _layer: Any, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        where, asked = self._asked.pop()
        if not asked:
            return output
        filled = output.clone()
        filled[where] = self.vectors(output[where], asked).to(output.dtype)
        return filled


_sorts: "WeakKeyDictionary[Any, WeakSet[VirtualTokens]]" = WeakKeyDictionary()


def real_tokens(model: Any, tokens: Tokens) -> Tokens:
    """The same tokens, each virtual one replaced by that of the vocabulary that stands for it."""
    sorts = list(_sorts.get(model, ()))
    if not sorts:
        return tokens
    return tuple(next((sort.real(token) for sort in sorts if sort.holds(token)), token) for token in tokens)


def _embedding_layers(model: Any) -> list[Any]:
    """Encoder and decoder may each have a layer of their own around the same weights."""
    first = model.get_input_embeddings()
    parts = model.modules() if isinstance(model, torch.nn.Module) else ()
    tied = (one for one in parts if hasattr(one, "num_embeddings") and one.weight is first.weight)
    return list({first, *tied})
