"""From text to token ids, by the conventions of lm-evaluation-harness, many strings at a time.

Three things differ, all where lm-evaluation-harness departs from running text. The beginning-of-text token is never
given twice: where a tokenizer adds it by itself, lm-evaluation-harness's rolling log-likelihood reads it both as prefix
and as first token to predict. What a tokenizer adds behind every text, such as an end-of-text token, is left out: it is
no part of a continuation, and nothing is to be written after it. And where the end of a context melts with the
beginning of its continuation into one token (as happens without spaces, in Chinese for instance), that token is read
and scored as in the whole text.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checkpoints.vocabulary import word_count
from harness.core.errors import ModelError
from harness.core.references.requests import Divergence
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, TokenLoglikelihoods
from harness.engine.noise import Offsets, with_noise
from harness.engine.tree import shared_length

__all__ = ["Encoder", "Reading", "Tokens", "rolling_windows"]

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Token ids to read, and those to predict: the last `len(targets)` positions of `inputs` predict `targets`."""

    inputs: Tokens
    targets: Tokens


class Encoder:
    """Encodes requests for one causal model with `max_length` positions; `model` is what reads tokens with noise."""

    def __init__(self, tokenizer: Any, max_length: int, model: Any = None) -> None:
        self.tokenizer = tokenizer
        self._model = model
        self.max_length = max_length
        self.prefix_id = self._prefix_id()
        self._prefix_text = tokenizer.decode([self.prefix_id])
        self._added = _added_behind(tokenizer)

    def loglikelihoods(self, requests: Sequence[Loglikelihood]) -> list[Reading]:
        """One reading a request. A continuation longer than the window keeps its end alone, see `Reading`."""
        pairs = [request.parted for request in requests]
        encoded = self._encode([text for context, continuation in pairs for text in (context, context + continuation)])
        bare = self._encode([continuation for context, continuation in pairs if not context], special_tokens=False)
        offsets = self._offsets([a + b for (a, b), request in zip(pairs, requests, strict=True) if request.noise])
        readings = []
        for (context, continuation), request in zip(pairs, requests, strict=True):
            if context:
                whole = encoded[context + continuation]
                split = _split_point(encoded[context], whole) if continuation else len(whole)
                if request.noise:
                    where = offsets[context + continuation]
                    whole = with_noise(self._model, whole, where, request.noise, range(split))
            else:
                continuation_ids = bare[continuation]
                given = continuation_ids[:1] == (self.prefix_id,)
                whole = continuation_ids if given else (self.prefix_id, *continuation_ids)
                split = 1
            targets = whole[split:]
            readings.append(Reading(whole[-(self.max_length + 1) :][:-1], targets))
        return readings

    def rolling(self, requests: Sequence[LoglikelihoodRolling]) -> list[tuple[Reading, ...]]:
        """The windows of each request, see `rolling_windows`.

        A model whose window is smaller than the one asked for moves on by half of its own window at most.
        """
        encoded = self._encode([request.text for request in requests], special_tokens=False)
        return [self._windows(request, encoded[request.text]) for request in requests]

    def _windows(self, request: LoglikelihoodRolling, tokens: Tokens) -> tuple[Reading, ...]:
        asked, stride = request.max_length or self.max_length, request.stride
        if stride is not None and asked > self.max_length:
            stride = min(stride, max(self.max_length // 2, 1))
        max_length = min(asked, self.max_length)
        return rolling_windows(tokens, prefix_id=self.prefix_id, max_length=max_length, stride=stride)

    def beginnings(self, requests: Sequence[TokenLoglikelihoods | Divergence]) -> list[Reading]:
        """The first tokens of each request's text, read after the beginning-of-text token."""
        encoded = self._encode([request.text for request in requests], special_tokens=False)
        kept = [encoded[request.text][: min(request.max_tokens, self.max_length)] for request in requests]
        return [Reading((self.prefix_id, *targets[:-1]), targets) for targets in kept]

    def ends(self, texts: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
        """Where each token of a text that is read whole ends in it, by text; nothing where the tokenizer can't tell."""
        if not self.tokenizer.is_fast:
            return {}
        rows = self._rows(texts, "offset_mapping", special_tokens=False, return_offsets_mapping=True)
        return {text: tuple(int(end) for _, end in row) for text, row in rows}

    def prompts(self, requests: Sequence[GenerateUntil]) -> list[Tokens]:
        """The prompt of each request; one too long loses its beginning, so that `max_tokens` fit behind it."""
        encoded = self._encode([request.context for request in requests])
        offsets = self._offsets([request.context for request in requests if request.noise])
        prompts = []
        for request in requests:
            tokens = encoded[request.context] or (self.prefix_id,)
            if request.noise and request.context:
                tokens = with_noise(self._model, tokens, offsets[request.context], request.noise)
            prompts.append(tokens[-max(self.max_length - request.max_tokens, 1) :])
        return prompts

    def unread_character_count(self, request: Loglikelihood | GenerateUntil, read: Tokens) -> int:
        """How many characters of the request's context are lost where `read` is all that its window holds of it."""
        if isinstance(request, GenerateUntil):
            room, text, behind = max(self.max_length - request.max_tokens, 1), request.context, 0
        else:
            bare, rest = request.parted
            room, text, behind = self.max_length, bare + rest if bare else "", 1
        if not text or len(read) < room:
            return 0
        tokens = self._encode([text])[text]
        lost = len(tokens) - behind - len(read)
        if lost <= 0:
            return 0
        if self.tokenizer.is_fast:
            end = int(self._offsets([text])[text][lost - 1][1])
        else:
            end = len(self.tokenizer.decode(tokens[:lost], skip_special_tokens=True))
        return min(end, len(request.context))

    def begins_with_prefix(self, text: str) -> bool:
        """Whether a text spells out the beginning-of-text token, so that no second one is put before it."""
        return bool(self._prefix_text) and text.startswith(self._prefix_text)

    def _prefix_id(self) -> int:
        words = math.inf if self._model is None else word_count(self._model)
        for token_id in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token_id is not None and token_id < words:
                return int(token_id)
        raise ModelError(
            "the tokenizer has neither a beginning-of-text nor an end-of-text token to stand before a text, of those "
            "that the model has an embedding for",
            fix="Set bos_token or eos_token in tokenizer_config.json",
        )

    def _encode(self, texts: Sequence[str], *, special_tokens: bool = True) -> Mapping[str, Tokens]:
        """Token ids by text, with the special tokens that the tokenizer adds in front unless the text has its own."""
        return {text: tuple(row) for text, row in self._rows(texts, "input_ids", special_tokens=special_tokens)}

    def _offsets(self, texts: Sequence[str]) -> Mapping[str, Offsets]:
        """Where each token that `_encode` gives stands in its text, by text."""
        return dict(self._rows(texts, "offset_mapping", return_offsets_mapping=True))

    def _rows(
        self, texts: Sequence[str], column: str, *, special_tokens: bool = True, **options: Any
    ) -> Iterator[tuple[str, Any]]:
        distinct = list(dict.fromkeys(texts))
        marked = [text for text in distinct if self.begins_with_prefix(text)]
        plain = [text for text in distinct if not self.begins_with_prefix(text)]
        for group, add in ((plain, special_tokens), (marked, False)):
            if group:
                rows = self.tokenizer(group, add_special_tokens=add, return_attention_mask=False, **options)
                behind = self._added if add else 0
                yield from zip(group, (row[: len(row) - behind] for row in rows[column]), strict=True)


def rolling_windows(tokens: Tokens, *, prefix_id: int, max_length: int, stride: int | None) -> tuple[Reading, ...]:
    """Windows of at most `max_length` inputs in which each of `tokens` is predicted exactly once.

    The first window starts with `prefix_id`. With `stride` None, later windows predict `max_length` tokens each,
    and the last one reaches back to be full; with a `stride`, each predicts that many and sees `max_length - stride`
    tokens before them.
    """
    step = max_length if stride is None else stride
    if not 1 <= step <= max_length:
        raise ModelError(f"a stride of {stride} tokens doesn't fit windows of {max_length}")
    stream = (prefix_id, *tokens)
    readings: list[Reading] = []
    done = 0
    while done < len(tokens):
        end = min(done + (step if done else max_length), len(tokens))
        start = 0 if end <= max_length else end - max_length
        readings.append(Reading(stream[start:end], tokens[done:end]))
        done = end
    return tuple(readings)


def _added_behind(tokenizer: Any) -> int:
    """How many special tokens the tokenizer adds behind every text."""
    bare, whole = (tokenizer("a", add_special_tokens=add, verbose=False)["input_ids"] for add in (False, True))
    ends = [end for end in range(len(bare), len(whole) + 1) if whole[end - len(bare) : end] == bare]
    return len(whole) - ends[-1] if bare and ends else 0


def _split_point(context: Tokens, whole: Tokens) -> int:
    """Where the continuation's tokens begin: after those that the whole shares with the context, one at the least."""
    return max(min(shared_length(context, whole), len(whole) - 1), 1)
