"""What is hung into transformers' `generate` for a sequence-to-sequence model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessor, StoppingCriteria

__all__ = ["Stops", "Watch", "instead_of_its_own"]


@contextmanager
def instead_of_its_own(model: Any, settings: GenerationConfig) -> Iterator[None]:
    """While the block runs, nothing but these settings counts: `generate` fills gaps with the model's own."""
    own, model.generation_config = model.generation_config, settings
    try:
        yield
    finally:
        model.generation_config = own


class Watch(LogitsProcessor):  # type: ignore[misc]
    """Keeps which of some prompts have logits that are numbers, and puts numbers in the place of the others."""

    def __init__(self, count: int) -> None:
        self.usable = [True] * count

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """The scores as they are, but numbers for prompts without any."""
        # A word that the settings forbid is at -inf; that all of them are is no answer.
        faulty = scores.isnan().any(-1) | ~scores.max(-1).values.isfinite()
        if bool(faulty.any()):
            beams = faulty.view(len(self.usable), -1).any(-1).tolist()
            self.usable = [fine and not bad for fine, bad in zip(self.usable, beams, strict=True)]
            return torch.where(faulty[:, None], 0.0, scores)
        return scores


class Stops(StoppingCriteria):  # type: ignore[misc]
    """Ends each row of token ids that `stopped` says has ended."""

    def __init__(self, stopped: Callable[[Sequence[int]], bool]) -> None:
        self._stopped = stopped

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:  # noqa: ARG002
        """Whether each row has ended."""
        found = [self._stopped(row) for row in input_ids.tolist()]
        return torch.tensor(found, device=input_ids.device)
