"""Which kernels a forward pass of a model gets: faster ones, where they give the model's own numbers.

Each model is tried once with them and with its own, and keeps its own where the two don't agree.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.checkpoints.vocabulary import word_count
from harness.engine.halving import is_lack_of_memory
from harness.engine.kernels.accelerators import WIDE, TreeKernels, is_wide
from harness.engine.kernels.ancestors import Ancestors
from harness.engine.kernels.processors import BLOCK, FEW, ROWS, FasterKernels
from harness.engine.rounding import tolerance
from harness.engine.tree import Row, packed_row

__all__ = ["faster_kernels"]

_log = logging.getLogger(__name__)

_trusted: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
_trees_trusted: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
_ROUNDINGS = 2


def faster_kernels(model: Any, arguments: Mapping[str, Any]) -> AbstractContextManager[Any]:
    """What is entered for one forward pass of a model with logits; nothing where its own kernels are to be used."""
    if model.device.type == "cpu":
        if _gain_nothing(arguments):
            return nullcontext()
        if model not in _trusted:
            _trusted[model] = _is_small(_processor_error(model), tolerance(model.dtype))
        return FasterKernels(arguments) if _trusted[model] else nullcontext()
    if model.device.type != "cuda" or not is_wide(arguments):
        return nullcontext()
    if model not in _trees_trusted:
        _trees_trusted[model] = _can_read_trees(model)
    return TreeKernels(arguments) if _trees_trusted[model] else nullcontext()


def _gain_nothing(arguments: Mapping[str, Any]) -> bool:
    """Whether a pass reads so few tokens that looking at each call costs more than other kernels would save."""
    token_ids = arguments.get("input_ids")
    return token_ids is not None and (token_ids.numel() == 1 or FEW < token_ids.numel() < ROWS)


def _is_small(error: float, allowed: float) -> bool:
    if error > allowed:
        _log.info("the model keeps its own kernels: with others, log-probabilities differ by %.2g nats", error)
    return error <= allowed


def _processor_error(model: Any) -> float:
    """The largest difference between the two kinds on one text, in nats; infinite where there is no memory to see."""
    width = min(BLOCK + 2, _longest(model) // 2)
    token_ids = torch.tensor([_tokens(model, 3, width)])
    try:
        with torch.inference_mode():
            own = model(input_ids=token_ids).logits[:, -1].float().log_softmax(-1)
            with FasterKernels({}):
                faster = model(input_ids=token_ids).logits[:, -1].float().log_softmax(-1)
    except Exception as error:
        if not is_lack_of_memory(error):
            raise
        return math.inf
    return float((own - faster).abs().max())


def _can_read_trees(model: Any) -> bool:
    """Whether blocks differ from the whole square by no more than what torch's own kernels differ by, on a wide row."""
    row = _wide_row(model)
    arguments = {
        "input_ids": torch.tensor([row.tokens], device=model.device),
        **Ancestors.of([row], 0, model.device).arguments(model),
    }
    try:
        own = _last_words(model, arguments, row, nullcontext())
        plainest = _last_words(model, arguments, row, sdpa_kernel(SDPBackend.MATH))
        blocks = _last_words(model, arguments, row, TreeKernels(arguments))
    except Exception as error:  # no compiler, or a head of a size that it can't compile: torch says so in many ways
        first = next(iter(str(error).splitlines()), "")
        _log.info("the model keeps its own kernels: no others can be compiled (%s: %s)", type(error).__name__, first)
        return False
    allowed = max(tolerance(model.dtype), _ROUNDINGS * float((own - plainest).abs().max()))
    return _is_small(float((own - blocks).abs().max()), allowed)


def _last_words(model: Any, arguments: Mapping[str, Any], row: Row, kernels: AbstractContextManager[Any]) -> Tensor:
    """The log-probabilities behind each sequence of the row, of shape (sequences, vocabulary)."""
    with torch.inference_mode(), kernels:
        logits = model(**arguments, use_cache=False).logits
    return logits[0, list(row.ends.values())].float().log_softmax(-1)


def _wide_row(model: Any) -> Row:
    """Pairs of texts that part in the middle, so many that blocks are needed."""
    length = min(WIDE // 4, _longest(model) // 2)
    texts: set[tuple[int, ...]] = set()
    while sum(map(len, texts)) < 2 * WIDE:
        beginning = _tokens(model, len(texts), length // 2)
        texts |= {(*beginning, *_tokens(model, len(texts) + step, length // 2)) for step in (5, 9)}
    return packed_row(sorted(texts), 0)


def _longest(model: Any) -> int:
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or 2 * WIDE


def _tokens(model: Any, start: int, count: int) -> Sequence[int]:
    words = word_count(model)
    return [(7 * step + start) % words for step in range(count)]
