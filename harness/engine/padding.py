"""Token sequences as tensors for one forward pass."""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

import torch

from harness.checkpoints.vocabulary import word_count
from harness.engine.encoding import Tokens
from harness.engine.rounding import tolerance

__all__ = ["ordered_rows", "padded", "padding_id", "pads_exactly"]

_log = logging.getLogger(__name__)


def padded(sequences: Sequence[Tokens], pad_id: int, device: Any) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask` of shape (sequences, longest), filled up on the right."""
    width = max(map(len, sequences))
    rows = [[*tokens, *[pad_id] * (width - len(tokens))] for tokens in sequences]
    seen = [[1] * len(tokens) + [0] * (width - len(tokens)) for tokens in sequences]
    return {
        "input_ids": torch.tensor(rows, dtype=torch.long, device=device),
        "attention_mask": torch.tensor(seen, dtype=torch.long, device=device),
    }


def padding_id(model: Any, tokenizer: Any) -> int:
    """The token to fill up with: the config's, as RoBERTa counts its positions past it, else the tokenizer's.

    One that the embedding has no row for is none; the first token then fills up as well.
    """
    named = (model.config.get_text_config().pad_token_id, tokenizer.pad_token_id)
    return next((int(one) for one in named if one is not None and 0 <= one < word_count(model)), 0)


def pads_exactly(model: Any, compute: Callable[[Sequence[Tokens]], Sequence[Sequence[float]]]) -> bool:
    """Whether padding changes nothing that `compute` gives for a short sequence, but for rounding.

    It does where a model mixes all positions whatever the mask says, such as FNet's Fourier transform.
    """
    words = word_count(model)
    long = tuple((7 * step + 3) % words for step in range(24))
    (alone,), (_, beside) = compute([long[:9]]), compute([long, long[:9]])
    error = max(abs(one - other) for one, other in zip(alone, beside, strict=True))
    if error > tolerance(model.dtype):
        _log.info("reading texts of one length at a time: padding changes what the model gives by %.2g", error)
        return False
    return True


def ordered_rows(rows: Iterable[Tokens], *, pads: bool, way: Callable[[int], int]) -> list[list[Tokens]]:
    """Distinct sequences, the longest first; in groups of one length each where the model's padding isn't exact.

    Lengths of another `way` (`Lengths.way`) are never in one group.
    """
    ordered = sorted(set(rows), key=lambda tokens: (-len(tokens), tokens))
    return [list(same) for _, same in groupby(ordered, key=lambda row: way(len(row)) if pads else len(row))]
