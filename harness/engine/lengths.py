"""What a model does otherwise in a long text than in a short one, everywhere in it, from its first token on.

Rotary positions may be scaled by the length of the text: by another set of factors beyond some length (LongRoPE; Ding
et al., 2024), or anew for each length (dynamic NTK). transformers takes the longest text of a batch for all of them, so
texts that are read in different ways must never meet in one batch, nor go on from the same beginning.
"""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch

from harness.checkpoints.vocabulary import word_count
from harness.core.text.reasons import Reason
from harness.engine.rounding import tolerance

__all__ = ["ALIKE", "Lengths", "known_lengths", "tried_lengths"]

_log = logging.getLogger(__name__)

_ONE_LENGTH = "texts longer than {count} tokens are read whole, in batches of texts of the same length"
_LONG = "texts longer than {count} tokens are read whole, in batches of their own"
_TRIAL = 8
"""Tokens of the texts of a trial."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Texts of at most `switch` tokens are read alike, and so are those beyond it, unless `each` length differs."""

    switch: float = math.inf
    each: bool = False

    def way(self, length: int) -> int:
        """Texts of the same way may be read together; those of way 0 may share a beginning and be packed, too."""
        if length <= self.switch:
            return 0
        return length if self.each else 1

    @property
    def reason(self) -> Reason | None:
        """What is done with long texts, for people; None where they are read as short ones are."""
        if self == ALIKE:
            return None
        return Reason(_ONE_LENGTH if self.each else _LONG, count=f"{self.switch:,}")


ALIKE = Lengths()
"""Of a model in which nothing depends on the length of the whole text."""


def known_lengths(model: Any) -> Lengths:
    """What the model's config says."""
    settings = model.config.get_text_config().to_dict()
    # A prompt of trained vectors stands before each text, and counts.
    before = getattr(model, "virtual_token_count", 0)
    found = [*_ropes(settings), *_sparse(settings)]
    if not found:
        return ALIKE
    switch = min(one.switch for one in found) - before
    return Lengths(switch, each=len(set(found)) > 1 or any(one.each for one in found))


def tried_lengths(model: Any, window: int) -> Lengths:
    """What the config says, where a trial on both sides of that doesn't say otherwise.

    Tried is whether a far position in the batch changes what is read at near ones; without a word in the config, each
    length is then read in a way of its own.
    """
    known = known_lengths(model)
    if "position_ids" not in signature(model.forward).parameters or window < 2 * _TRIAL:
        return known
    sides: list[tuple[float, float]] = [(_TRIAL, min(known.switch, window))]
    if known.switch + _TRIAL < window and not known.each:
        sides.append((known.switch + _TRIAL, window))
    try:
        errors = [_error(model, int(near), int(far)) for near, far in sides if far > near]
    except Exception as fault:  # whatever a model does with positions that it doesn't expect
        _log.info("whether a text's length matters can't be tried (%s: %s)", type(fault).__name__, fault)
        return known
    if max(errors, default=0) > tolerance(model.dtype):
        _log.info("texts of different lengths are read apart: one changes another by %.2g nats", max(errors))
        return Lengths(0, each=True)
    return known


def _ropes(settings: Mapping[str, Any]) -> Iterator[Lengths]:
    """Of each kind of rotary positions, of which some models have one for each kind of layer."""
    waiting = [settings.get("rope_parameters"), settings.get("rope_scaling")]
    while waiting:
        rope = waiting.pop()
        if not isinstance(rope, dict):
            continue
        waiting += rope.values()
        kind = str(rope.get("rope_type", rope.get("type")))
        trained = (rope.get("original_max_position_embeddings"), settings.get("original_max_position_embeddings"))
        if kind in ("longrope", "su"):
            yield Lengths(next((one for one in trained if one), 0), each=not any(trained))
        elif "dynamic" in kind:
            limits = (*trained, settings.get("max_position_embeddings"))
            yield Lengths(min((one for one in limits if one), default=0), each=True)


def _sparse(settings: Mapping[str, Any]) -> Iterator[Lengths]:
    """Of attention to so many tokens that an indexer picks: of texts that have no more, it picks all."""
    if isinstance(picked := settings.get("index_topk"), int):
        yield Lengths(picked, each=True)


def _error(model: Any, near: int, far: int) -> float:
    """By how many nats a text whose positions end at `far` changes one beside it whose positions end at `near`."""
    words = word_count(model)
    token_ids = torch.tensor([[(7 * step + 3) % words for step in range(_TRIAL)]], device=model.device)
    places = torch.tensor([range(near - _TRIAL, near), range(far - _TRIAL, far)], device=model.device)
    with torch.inference_mode():
        alone = model(input_ids=token_ids, position_ids=places[:1], use_cache=False).logits[0]
        beside = model(input_ids=token_ids.repeat(2, 1), position_ids=places, use_cache=False).logits[0]
    return float((alone.float().log_softmax(-1) - beside.float().log_softmax(-1)).abs().max())
