"""Fits a small adapter to rows, and takes it away again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import peft
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_

from harness.checkpoints.loading.load import quiet
from harness.core.meters import Meter
from harness.core.text.reasons import Reason
from harness.core.training.lessons import Lessons
from harness.engine.encoding import Reading
from harness.engine.halving import NO_MEMORY, is_lack_of_memory

__all__ = ["UntaughtError", "taught"]

_NAME = "lessons"


class UntaughtError(Exception):
    """There is no adapter, for the reason that it gives."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def taught(model: Any, lessons: Lessons, readings: Sequence[Reading], meter: Meter) -> Iterator[None]:
    """The model with an adapter that is fitted to the `readings` of the lessons' rows; without it behind the block.

    No weight of the model's own is changed: its layers stand inside those of the adapter for a while. The same lessons
    make the same adapter, to the last bit on one machine. Raises `UntaughtError`.
    """
    trained = {name: one.requires_grad for name, one in model.named_parameters()}
    with torch.random.fork_rng():
        torch.manual_seed(lessons.start)
        adapted = _adapted(model, lessons)
    try:
        meter.stage(lessons.stage)
        try:
            _fit(model, lessons, readings, Random(lessons.start), meter)
        except Exception as error:
            if not is_lack_of_memory(error):
                raise
            raise UntaughtError(NO_MEMORY) from error
        yield
    finally:
        adapted.unload()
        for name, one in model.named_parameters():
            one.requires_grad_(trained[name])


def _adapted(model: Any, lessons: Lessons) -> Any:
    """peft's model, whose layers stand in the model's own place; it begins with the model's own answers."""
    config = peft.LoraConfig(
        r=lessons.recipe.rank, lora_alpha=lessons.recipe.alpha, lora_dropout=0.0, target_modules="all-linear"
    )
    try:
        with quiet():
            return peft.PeftModel(model, config, _NAME).eval()
    except ValueError as error:  # of a model that has no linear layer
        raise UntaughtError(
            Reason("no adapter can be put over it ({error})", error=str(error).splitlines()[0])
        ) from error


def _fit(model: Any, lessons: Lessons, readings: Sequence[Reading], rng: Random, meter: Meter) -> None:
    recipe, device = lessons.recipe, model.device
    weights = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.0)
    count = recipe.step_count(len(readings))
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / count)
    # Other kernels are faster for long texts, and add up gradients in an order of their own each time.
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        for rows in _steps(readings, lessons, rng):
            target_count = sum(len(row.targets) for row in rows)
            for row in rows:
                # One at a time: no padding, and no more memory than the longest takes.
                targets = torch.tensor(row.targets, device=device)
                inputs = torch.tensor([row.inputs], device=device)
                logits = model(input_ids=inputs, use_cache=False).logits[0, -len(targets) :]
                loss = cross_entropy(logits.float(), targets, reduction="sum") / target_count
                if not bool(torch.isfinite(loss)):
                    raise UntaughtError(Reason("training it gives numbers that aren't finite"))
                loss.backward()
            clip_grad_norm_(weights, recipe.largest_norm)
            optimiser.step()
            falling.step()
            optimiser.zero_grad()
            meter.count(tokens=sum(len(row.inputs) for row in rows), requests=0)


def _steps(readings: Sequence[Reading], lessons: Lessons, rng: Random) -> Iterator[Sequence[Reading]]:
    for _ in range(lessons.recipe.epochs):
        ordered = rng.sample(readings, len(readings))
        size = lessons.recipe.rows_per_step
        yield from (ordered[at : at + size] for at in range(0, len(ordered), size))
