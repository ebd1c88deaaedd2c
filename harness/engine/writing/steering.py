"""What a checkpoint's own settings make of the next token's scores: a penalty for repeating, words it may not write.

Each text is steered by itself, by its own tokens without padding, so neither batch nor order changes it. The arithmetic
is that of transformers' `generate`, in its order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import transformers.generation as hf
from torch import Tensor

from harness.checkpoints.vocabulary import word_count
from harness.engine.tree import Tokens

__all__ = ["Steer", "Steering", "stop_strings"]

Steer = Callable[[Tensor, Tensor], Tensor]
"""From token ids of shape (1, tokens) and scores of shape (1, vocabulary) to other scores."""
_ORDER = (
    "sequence_bias",
    "encoder_repetition_penalty",
    "repetition_penalty",
    "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size",
    "bad_words_ids",
    "min_length",
    "min_new_tokens",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "exponential_decay_length_penalty",
    "suppress_tokens",
    "begin_suppress_tokens",
)
_OF_THE_END = ("min_length", "min_new_tokens", "exponential_decay_length_penalty")


def stop_strings(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What the settings have end a text; it stays in the text, as in transformers."""
    found = settings.get("stop_strings", ())
    return (found,) if isinstance(found, str) else tuple(found)


class Steering:
    """The settings in force (`GenerationSettings.followed`) of one causal model; `ends` are its end-of-text tokens."""

    def __init__(self, settings: Mapping[str, Any], *, ends: frozenset[int], model: Any) -> None:
        self._device = model.device
        words = word_count(model)
        self._ends = [end for end in sorted(ends) if 0 <= end < words]
        idle: tuple[str, ...] = () if self._ends else _OF_THE_END
        # The number of new tokens counts in place of that of all tokens.
        idle += ("min_length",) if "min_new_tokens" in settings else ()
        self._settings = {name: settings[name] for name in _ORDER if name in settings and name not in idle}
        self._fixed = self._of_every_text()
        self.stop_strings = stop_strings(settings)

    def of(self, prompt: Tokens, max_tokens: int) -> Sequence[Steer]:
        """What changes the scores of what is written after the prompt, in order; nothing for most models."""
        if not self._settings:
            return ()
        own = self._of_one_text(prompt, max_tokens)
        return [self._fixed.get(name) or own[name](value) for name, value in self._settings.items()]

    def _of_every_text(self) -> Mapping[str, Steer]:
        ends, device = self._ends, str(self._device)
        makers: Mapping[str, Callable[[Any], Steer]] = {
            "sequence_bias": hf.SequenceBiasLogitsProcessor,
            "repetition_penalty": hf.RepetitionPenaltyLogitsProcessor,
            "no_repeat_ngram_size": hf.NoRepeatNGramLogitsProcessor,
            "bad_words_ids": hf.NoBadWordsLogitsProcessor,
            "min_length": lambda count: hf.MinLengthLogitsProcessor(count, ends, device),
            "forced_bos_token_id": hf.ForcedBOSTokenLogitsProcessor,
            "suppress_tokens": lambda tokens: hf.SuppressTokensLogitsProcessor(tokens, device),
        }
        return {name: make(self._settings[name]) for name, make in makers.items() if name in self._settings}

    def _of_one_text(self, prompt: Tokens, max_tokens: int) -> Mapping[str, Callable[[Any], Steer]]:
        ends, device, read = self._ends, str(self._device), len(prompt)
        begin = read + (read == 1 and "forced_bos_token_id" in self._settings)
        given = torch.tensor([prompt], device=self._device)
        return {
            "encoder_repetition_penalty": lambda by: hf.EncoderRepetitionPenaltyLogitsProcessor(by, given),
            "encoder_no_repeat_ngram_size": lambda size: hf.EncoderNoRepeatNGramLogitsProcessor(size, given),
            "min_new_tokens": lambda count: hf.MinNewTokensLengthLogitsProcessor(read, count, ends, device),
            "forced_eos_token_id": lambda end: hf.ForcedEOSTokenLogitsProcessor(read + max_tokens, end, device),
            "exponential_decay_length_penalty": lambda pair: hf.ExponentialDecayLengthPenalty(pair, ends, read),
            "begin_suppress_tokens": lambda tokens: hf.SuppressTokensAtBeginLogitsProcessor(tokens, begin, device),
        }
