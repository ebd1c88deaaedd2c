"""Media read the model's own way: pixels or samples through its forward pass, as transformers' `generate` gives them.

For architectures that do more with a medium than put vectors in the places of tokens, such as positions in two
dimensions, or attention in which tokens see later ones. One request at a time, each token after the other, so whatever
`generate` does for an architecture is done.
"""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from typing_extensions import override

from harness.core.media import OBJECT
from harness.core.requests import GenerateUntil, Loglikelihood, Response
from harness.core.text.reasons import Reason
from harness.core.text.truncation import long_continuation
from harness.engine.encoding import Encoder, Tokens
from harness.engine.rounding import NOT_FINITE
from harness.engine.senses.encoding import Multimodal
from harness.engine.senses.percepts import Percepts
from harness.engine.senses.sense import on
from harness.engine.writing.generation import Continuation, Writer, choose_tokens

__all__ = ["PlainReader"]

_KEPT_BYTES = 1 << 29
Inputs = dict[str, Any]


class PlainReader:
    """Reads requests with media by a model's own forward pass."""

    def __init__(self, model: Any, encoder: Encoder, percepts: Percepts, writer: Writer) -> None:
        self._model, self._sense = model, percepts.sense
        self._encoder, self._percepts, self._writer = encoder, percepts, writer
        self._behind: bool | None = None
        self._taken = signature(model.forward).parameters.keys()

    def remember(self) -> None:
        """From now on, encode a medium that comes again once."""
        _remember(self._model, self._percepts)

    def loglikelihood(self, request: Loglikelihood) -> Response:
        """The likelihood of the continuation, cut off where the end of the context melts with its beginning."""
        inputs, targets = self._parts(request)
        read = inputs["input_ids"].shape[1]
        if reason := self._too_long(read, len(targets)):
            return Response(request_id=request.id, token_count=len(targets), context_token_count=read, invalid=reason)
        logits: list[Tensor] = []

        def next_target(scores: Tensor) -> int | None:
            logits.append(scores)
            return targets[len(logits) - 1] if len(logits) <= len(targets) else None

        self._led(inputs, next_target, len(targets))
        pairs = list(zip(logits, targets, strict=True))
        total = math.fsum(float(one.double().log_softmax(-1)[target]) for one, target in pairs)
        finite = math.isfinite(total)
        return Response(
            request_id=request.id,
            loglikelihood=total if finite else None,
            is_greedy=all(int(one.argmax()) == target for one, target in pairs) if finite else None,
            token_count=len(targets),
            context_token_count=read,
            invalid=None if finite else NOT_FINITE,
        )

    def write(self, request: GenerateUntil) -> Continuation | Response:
        """What is written after the context, or why nothing is."""
        if isinstance(request, Multimodal):
            inputs = self._inputs(request, request.context)
        else:
            inputs = self._of_text(self._encoder.prompts([request])[0])
        prompt: Tokens = tuple(inputs["input_ids"][0].tolist())
        if reason := self._too_long(len(prompt), request.max_tokens):
            return Response(request_id=request.id, context_token_count=len(prompt), invalid=reason)
        one = self._writer.begun(request, prompt)

        def next_written(scores: Tensor) -> int | None:
            (token,) = choose_tokens(scores.unsqueeze(0), [one])
            return None if self._writer.finish(one, token) else token

        self._led(inputs, next_written, request.max_tokens)
        return one

    def _inputs(self, request: Multimodal, context: str) -> Inputs:
        text = context.replace(OBJECT, self._sense.mark)
        self._percepts.read_together = len(request.media)
        options: dict[str, Any] = {"return_mm_token_type_ids": True} if "mm_token_type_ids" in self._taken else {}
        if self._encoder.begins_with_prefix(text):
            options["add_special_tokens"] = False
        made = self._sense.prepared(text, request.media, **options)
        kept = {name: value for name, value in made.items() if name in self._taken}
        return on(kept, self._model.device, self._model.dtype)

    def _of_text(self, tokens: Tokens) -> Inputs:
        token_ids = torch.tensor([tokens], device=self._model.device)
        return {"input_ids": token_ids, "attention_mask": torch.ones_like(token_ids)}

    def _parts(self, request: Loglikelihood) -> tuple[Inputs, Tokens]:
        """What is read, and the continuation's tokens: those behind the context's where the whole begins with these."""
        if not isinstance(request, Multimodal):
            (reading,) = self._encoder.loglikelihoods([request])
            read = len(reading.inputs) - len(reading.targets) + 1
            return self._of_text(reading.inputs[: max(read, 0)]), reading.targets
        bare, continuation = request.parted
        inputs = self._inputs(request, bare)
        prompt = inputs["input_ids"][0].tolist()
        whole = self._inputs(request, bare + continuation)["input_ids"][0].tolist()
        if whole[: len(prompt)] == prompt and not self._adds_behind(request, bare):
            return inputs, tuple(whole[len(prompt) :])
        return inputs, tuple(self._sense.processor.tokenizer(continuation, add_special_tokens=False)["input_ids"])

    def _adds_behind(self, request: Multimodal, text: str) -> bool:
        """Whether the processor puts tokens behind a text with media, as PaliGemma's does a line break."""
        if self._behind is None:
            text = f"{text} a"
            last = self._sense.processor.tokenizer(text, add_special_tokens=False)["input_ids"][-1]
            self._behind = bool(self._inputs(request, text)["input_ids"][0, -1] != last)
        return self._behind

    def _too_long(self, read: int, more: int) -> Reason | None:
        window = self._encoder.max_length
        if read == 0:
            return long_continuation(more)
        if read + more <= window + 1:
            return None
        return Reason(
            "its {read} tokens, those of its {media} among them, and {more} more don't fit a window of {window}",
            media=self._sense.many,
            read=read,
            more=more,
            window=window,
        )

    def _led(self, inputs: Inputs, choose: Callable[[Tensor], int | None], most: int) -> None:
        """Have the model write what `choose` makes of the logits, of shape (vocabulary,), until that is None."""
        led = _Led(choose)
        with _without_settings(self._model), torch.inference_mode():
            self._model.generate(
                **inputs,
                max_new_tokens=most,
                do_sample=False,
                logits_processor=LogitsProcessorList([led]),
                stopping_criteria=StoppingCriteriaList([_Done(led)]),
            )


class _Led(LogitsProcessor):  # type: ignore[misc]
    """Leaves one token to choose from."""

    def __init__(self, choose: Callable[[Tensor], int | None]) -> None:
        self._choose = choose
        self.is_done = False

    @override
    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        token = self._choose(scores[0].float())
        self.is_done = token is None
        left = torch.full_like(scores, -math.inf)
        left[0, token or 0] = 0
        return left


class _Done(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, led: _Led) -> None:
        self._led = led

    @override
    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return torch.full((len(input_ids),), self._led.is_done, dtype=torch.bool, device=input_ids.device)


@contextmanager
def _without_settings(model: Any) -> Iterator[None]:
    """While the block runs, the checkpoint's own settings for writing are out of the way: ours are followed."""
    own = model.generation_config
    model.generation_config = GenerationConfig()
    try:
        yield
    finally:
        model.generation_config = own


def _remember(model: Any, percepts: Percepts) -> None:
    """Have the model remember what it made of the media read last, by their numbers, and count what it makes."""
    base, name = model.base_model, percepts.sense.encoder_name
    made = getattr(base, name, None)
    if made is None:
        return
    kept: OrderedDict[str, Any] = OrderedDict()

    @wraps(made)  # transformers looks at what it takes
    def remembered(*inputs: Any, **options: Any) -> Any:
        key = _digest((inputs, options))
        if key not in kept:
            percepts.encoded_count += percepts.read_together
            kept[key] = made(*inputs, **options)
            while len(kept) > 1 and sum(map(_bytes, kept.values())) > _KEPT_BYTES:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    setattr(base, name, remembered)


def _digest(given: Any) -> str:
    sha256 = hashlib.sha256()
    for leaf in pytree.tree_leaves(given):
        sha256.update(repr(tuple(leaf.shape) if isinstance(leaf, Tensor) else leaf).encode())
        if isinstance(leaf, Tensor):
            sha256.update(leaf.float().cpu().numpy().tobytes())
    return sha256.hexdigest()


def _bytes(made: Any) -> int:
    return sum(leaf.nbytes for leaf in pytree.tree_leaves(made) if isinstance(leaf, Tensor))
