"""In the place of the package `vllm`: what its engine promises, by plain forward passes, one text at a time.

Log-probabilities are those of the model before anything is allowed or forbidden, as vLLM gives them. `make vllm` holds
the same tests against the package itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

__all__ = ["LLM", "SamplingParams"]


@dataclass(kw_only=True)
class SamplingParams:
    """How one text goes on. `logprobs` and `prompt_logprobs` are how many of the likeliest tokens are told."""

    max_tokens: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: Sequence[str] | None = None
    stop_token_ids: Sequence[int] | None = None
    allowed_token_ids: Sequence[int] | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    detokenize: bool = True
    ignore_eos: bool = False
    skip_special_tokens: bool = True
    repetition_penalty: float = 1.0


class LLM:
    """An engine over the checkpoint in a folder; `lengths` are those of all that it was asked to read."""

    def __init__(self, *, model: str, max_model_len: int, **_options: Any) -> None:
        self._model = AutoModelForCausalLM.from_pretrained(model)
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._window = max_model_len
        self.lengths: list[int] = []

    def generate(self, prompts: Any, params: Any, *, use_tqdm: bool) -> list[Any]:
        """What goes on behind each prompt."""
        return [self._one(prompt["prompt_token_ids"], one) for prompt, one in zip(prompts, params, strict=True)]

    @torch.inference_mode()
    def _one(self, prompt: list[int], asked: SamplingParams) -> Any:
        assert 0 < len(prompt) < self._window
        self.lengths.append(len(prompt))
        ids, rows, reason = list(prompt), [], "length"
        ends = set(asked.stop_token_ids or ()) if not asked.ignore_eos else set()
        for _ in range(min(asked.max_tokens, self._window - len(prompt))):
            values = self._values(ids)[-1]
            ids.append(self._next(values, asked, len(ids)))
            rows.append(_told(values, ids[-1], asked.logprobs or 0))
            if ids[-1] in ends:
                reason = "stop"
                break
            text = self._tokenizer.decode(ids[len(prompt) :], skip_special_tokens=asked.skip_special_tokens)
            if any(stop in text for stop in asked.stop or ()):
                reason = "stop"
                break
        told = None
        if asked.prompt_logprobs is not None:
            read = self._values(prompt)
            told = [None, *(_told(read[at], token, asked.prompt_logprobs) for at, token in enumerate(prompt[1:]))]
        written = SimpleNamespace(token_ids=ids[len(prompt) :], logprobs=rows, finish_reason=reason)
        return SimpleNamespace(outputs=[written], prompt_logprobs=told)

    def _values(self, ids: list[int]) -> torch.Tensor:
        values: torch.Tensor = self._model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return values

    def _next(self, values: torch.Tensor, asked: SamplingParams, place: int) -> int:
        if asked.allowed_token_ids is not None:
            return max(asked.allowed_token_ids, key=lambda token: float(values[token]))
        if asked.temperature == 0:
            return int(values.argmax())
        draws = torch.Generator().manual_seed((asked.seed or 0) * 1000 + place)
        return int(torch.multinomial((values / asked.temperature).softmax(-1), 1, generator=draws))


def _told(values: torch.Tensor, token: int, most: int) -> dict[int, Any]:
    """The likeliest tokens and the one that stands there, whatever its rank."""
    tokens = {int(one) for one in values.topk(most).indices} | {token}
    return {one: SimpleNamespace(logprob=float(values[one])) for one in tokens}
