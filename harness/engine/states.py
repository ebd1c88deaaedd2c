"""Beginnings read once by models whose rows can't branch: recurrent ones, and those biased by distance.

After a text, a model keeps what it needs to go on: keys and values, states of a recurrence, the last inputs of a
convolution. Each row behind a stem goes on from a copy of that. No mask is needed, nor anything else that a model might
not take; whether a model goes on from a copy as from the text itself is found out by trying.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch

from harness.engine.kernels.choice import faster_kernels
from harness.engine.tree import Row, Tokens

__all__ = ["State", "StateCache", "padded_beginnings"]

_NAMES = ("past_key_values", "cache_params", "state")
"""Under which names models take and give back what they keep of a text."""


def padded_beginnings(model: Any, rows: Sequence[Row]) -> torch.Tensor:
    """The rows' token ids, row-major, padded on the right: that stands where no real token looks."""
    width = max(len(row.tokens) for row in rows)
    token_ids = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        token_ids[index, : len(row.tokens)] = torch.tensor(row.tokens)
    return token_ids.to(model.device)


@dataclass(frozen=True, slots=True)
class State:
    """A path that was read once, with what the model kept of it under the name `name`."""

    tokens: Tokens
    name: str
    kept: Any

    def arguments(self, model: Any, rows: Sequence[Row]) -> dict[str, Any]:
        """What the model's forward pass takes for rows that are all plain sequences behind this path."""
        return {"input_ids": padded_beginnings(model, rows), "use_cache": True, self.name: self._copy_for(len(rows))}

    def _copy_for(self, row_count: int) -> Any:
        kept = deepcopy(self.kept)
        if isinstance(kept, list):
            return [states.expand(row_count, *states.shape[1:]).clone() for states in kept]
        kept.reorder_cache(torch.zeros(row_count, dtype=torch.long))
        return kept


class StateCache:
    """Keeps the last stem and the stems that it continues, and reads the next one from where the two part."""

    def __init__(self, model: Any) -> None:
        self._model = model
        taken = signature(model.forward).parameters
        self._name = next((name for name in _NAMES if name in taken), _NAMES[0])
        self._pieces: list[State] = []

    def stem(self, tokens: Tokens, chain: tuple[int, ...]) -> tuple[State, int]:
        """The stem `tokens`, and how many tokens had to be read for it.

        It is always read in the pieces that `chain` gives, so its bytes don't depend on what was read before.
        """
        wanted = [tokens[:end] for end in chain]
        known = 0
        while known < min(len(wanted), len(self._pieces)) and self._pieces[known].tokens == wanted[known]:
            known += 1
        del self._pieces[known:]
        for piece in wanted[known:]:
            self._pieces.append(self._continued(piece))
        return self._pieces[-1], len(tokens) - (chain[known - 1] if known else 0)

    def clear(self) -> None:
        """Let go of what was read, such as because the weights are others from now on."""
        self._pieces = []

    def _continued(self, tokens: Tokens) -> State:
        before = self._pieces[-1] if self._pieces else None
        arguments = {
            "input_ids": torch.tensor([tokens[len(before.tokens) if before else 0 :]], device=self._model.device),
            "use_cache": True,
        }
        if before is not None:
            arguments[self._name] = deepcopy(before.kept)
        with torch.inference_mode(), faster_kernels(self._model, arguments):
            output = self._model.base_model(**arguments)
        return State(tokens, self._name, getattr(output, self._name))
