"""Decoding with a key-value cache: one batch of prompts, greedy or sampled, each until its own end."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

from harness.core.requests import GenerateUntil
from harness.engine.scoring import logits_at

__all__ = ["Continuation", "cut_at_stop", "decode", "end_ids"]

Tokens = tuple[int, ...]


@dataclass(slots=True)
class Continuation:
    """What is being written after one prompt. `token_ids` leave out the end-of-text token."""

    request: GenerateUntil
    prompt: Tokens
    token_ids: list[int]
    generator: torch.Generator | None
    invalid: bool = False


def end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a text, by the tokenizer and by the checkpoint's generation config."""
    configured = model.generation_config.eos_token_id if model.generation_config else None
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(end) for end in (*listed, tokenizer.eos_token_id) if end is not None)


def cut_at_stop(text: str, until: Sequence[str]) -> str:
    """The text before the first of the stop strings."""
    return min((text.split(stop, 1)[0] for stop in until if stop), key=len, default=text)


def decode(
    model: Any,
    requests: Sequence[GenerateUntil],
    prompts: Sequence[Tokens],
    *,
    to_text: Callable[[Sequence[int]], str],
    ends: frozenset[int],
    on_stage: Callable[[str, int], None],
) -> list[Continuation]:
    """Write after each prompt until its request is satisfied.

    Prompts are padded on the left and told their true positions. `on_stage(stage, tokens)` is called after the
    prompts were read (`prefill`) and after each step (`decode`), with the tokens computed.
    """
    written = [
        Continuation(request, prompt, [], _generator(model, request))
        for request, prompt in zip(requests, prompts, strict=True)
    ]
    width = max(map(len, prompts))
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in prompts], device=model.device)
    step_ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in prompts], device=model.device)
    cache = DynamicCache(config=model.config)
    active = list(written)
    stage, computed = "prefill", sum(map(len, prompts))
    while active:
        logits = _step(model, step_ids, mask, cache)
        on_stage(stage, computed)
        chosen = _choose(logits, active)
        keep = [index for index, one in enumerate(active) if not _finish(one, chosen[index], to_text, ends)]
        if len(keep) < len(active):
            index = torch.tensor(keep, device=model.device, dtype=torch.long)
            mask = mask[index]
            if keep:
                cache.batch_select_indices(index)
        active = [active[index] for index in keep]
        step_ids = torch.tensor([[one.token_ids[-1]] for one in active], device=model.device)
        mask = torch.cat([mask, mask.new_ones((len(active), 1))], dim=1)
        stage, computed = "decode", len(active)
    return written


def _step(model: Any, step_ids: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
    """Logits after the last token of each row, the cache extended by `step_ids`."""
    rows, width = step_ids.shape
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -width:]
    arguments = {
        "input_ids": step_ids,
        "attention_mask": mask,
        "position_ids": positions,
        "past_key_values": cache,
        "use_cache": True,
    }
    return logits_at(model, arguments, np.arange(rows) * width + width - 1).float()


def _choose(logits: Tensor, active: Sequence[Continuation]) -> list[int | None]:
    """The next token of each row; None where its logits are not finite."""
    finite = logits.isfinite().any(dim=-1) & ~logits.isnan().any(dim=-1)
    greedy = logits.argmax(dim=-1)
    chosen: list[int | None] = []
    for index, one in enumerate(active):
        if not finite[index]:
            chosen.append(None)
        elif one.generator is None:
            chosen.append(int(greedy[index]))
        else:
            chosen.append(_sample(logits[index : index + 1], one.request, one.generator))
    return chosen


def _sample(logits: Tensor, request: GenerateUntil, generator: torch.Generator) -> int:
    warpers = LogitsProcessorList([TemperatureLogitsWarper(request.temperature)])
    if request.top_p < 1:
        warpers.append(TopPLogitsWarper(request.top_p))
    probabilities = warpers(torch.empty(0), logits).softmax(dim=-1)
    return int(torch.multinomial(probabilities, 1, generator=generator))


def _finish(
    one: Continuation, token: int | None, to_text: Callable[[Sequence[int]], str], ends: frozenset[int]
) -> bool:
    """Append the token; whether that ends the continuation."""
    if token is None:
        one.invalid = True
        return True
    if token in ends:
        return True
    one.token_ids.append(token)
    if len(one.token_ids) >= one.request.max_tokens:
        return True
    if not one.request.until:
        return False
    text = to_text(one.token_ids)
    return any(stop in text for stop in one.request.until if stop)


def _generator(model: Any, request: GenerateUntil) -> torch.Generator | None:
    if request.temperature == 0:
        return None
    seed = hashlib.sha256(f"{request.seed}:{request.id}".encode()).digest()
    return torch.Generator(device=model.device).manual_seed(int.from_bytes(seed[:8], "big") >> 1)
