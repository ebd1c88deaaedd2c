"""The model of speech recognisers that write: an encoder hears, and a decoder says what."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList
from transformers.modeling_outputs import BaseModelOutput
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint, quiet
from harness.core.checkpoints import MULTILINGUAL_ROWS
from harness.core.errors import ModelError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Request, Response, Stop, Transcribe
from harness.core.text.reasons import Reason
from harness.core.text.truncation import long_continuation
from harness.engine.ears import Ears
from harness.engine.encoding import Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.padding import padded, padding_id
from harness.engine.rounding import NOT_FINITE
from harness.engine.writing.generation import end_ids
from harness.engine.writing.hooks import Watch, instead_of_its_own

__all__ = ["SpeechModel"]

_HEARD_AT_ONCE = 8
"""Sounds in one pass of the encoder: half a minute is 1,500 positions in Whisper."""
_LOGITS = 2**26
"""Numbers that the logits of one forward pass of the decoder may hold: vocabularies are large."""
_NO_LANGUAGE = "the model writes many languages, and the request doesn't say which is spoken"


class SpeechModel(Model):
    """Answers requests with a loaded speech recogniser (`Model` in core).

    The encoder hears each sound once, for the text and for the likelihood of the reference. Decoding is greedy, with
    the checkpoint's `GenerationSettings`. The probabilities of what was written, and of the reference, are the model's
    own, before those settings forbid a token; that of a reference includes its end. A sound longer than the model's
    window isn't cut into pieces: it has no answer, with the reason.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model: Any = loaded.model
        self.tokenizer: Any = loaded.tokenizer
        self.max_length = loaded.max_length
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.ears = Ears(loaded)
        self._is_whisper = self.model.config.model_type == "whisper"
        self._start = _start_id(self.model)
        self._ends = end_ids(self.model, self.tokenizer)
        self._pad_id = padding_id(self.model, self.tokenizer)
        self._settings = self._own_settings(loaded)
        self._passes: Halving[Transcribe, list[Response]] = Halving(batch_tokens)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """By language and length of the text, then by the shape of what is heard."""
        refuse_others(requests, (Transcribe,), "a speech recogniser")
        groups: dict[tuple[str, int], list[Transcribe]] = {}
        for request in sorted(requests, key=lambda request: request.id):
            assert isinstance(request, Transcribe)
            groups.setdefault((request.language or "", request.max_tokens), []).append(request)
        return [
            Batch(batch)
            for _, group in sorted(groups.items())
            for batch in self.ears.batches(group, self.batch_tokens, self._width(group[0]))
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        found, fitting = [], []
        for request in batch.requests:
            assert isinstance(request, Transcribe)
            reason = self._refusal(request)
            if reason is None:
                fitting.append(request)
            else:
                found.append(Response(request_id=request.id, invalid=reason))
        for group, answers in self._passes.run(fitting, self._width, self._transcribe):
            found += answers or [Response(request_id=request.id, invalid=NO_MEMORY) for request in group]
        self.meter.count(tokens=0, requests=len(batch.requests))
        return found

    def _width(self, request: Transcribe) -> int:
        return len(self._prefix(request.language)) + request.max_tokens

    def _refusal(self, request: Transcribe) -> str | None:
        if refused := self.ears.refusal(request):
            return refused
        if self._is_multilingual and request.language is None:
            return _NO_LANGUAGE
        if self._is_multilingual and self._language_id(request.language) is None:
            return Reason("the model writes no language {code}", code=str(request.language))
        reference = self._spelled(request.reference)
        if reference is not None and len(reference) > self._room(request):
            return long_continuation(len(reference))
        return None

    def _room(self, request: Transcribe) -> int:
        """Tokens that the decoder can predict after its prefix."""
        return self.max_length - len(self._prefix(request.language))

    @property
    def _is_multilingual(self) -> bool:
        if not self._is_whisper:
            return False
        stated = getattr(self.model.generation_config, "is_multilingual", None)
        return bool(self.model.config.vocab_size >= MULTILINGUAL_ROWS if stated is None else stated)

    def _language_id(self, language: str | None) -> int | None:
        """Asked for by name: transformers' tables of languages may be empty, as its tokenizer lists none as special."""
        return self._token(f"<|{language}|>")

    def _token(self, name: str) -> int | None:
        found = self.tokenizer.get_vocab().get(name)
        return None if found is None else int(found)

    def _prefix(self, language: str | None) -> Tokens:
        """What the decoder is given before it writes: a start, and for Whisper the language, the task and no times."""
        if not self._is_whisper:
            return (self._start,)
        told = (self._language_id(language), self._token("<|transcribe|>")) if self._is_multilingual else ()
        found = (self._start, *told, self._token("<|notimestamps|>"))
        return tuple(one for one in found if one is not None)

    def _spelled(self, text: str | None) -> Tokens | None:
        """A text as the model would write it, with its end."""
        if text is None:
            return None
        # Whisper writes its first word as one within a text.
        shown = f" {text.strip()}" if self._is_whisper else text.strip()
        return (*self.tokenizer(shown, add_special_tokens=False, verbose=False)["input_ids"], min(self._ends))

    def _own_settings(self, loaded: LoadedCheckpoint) -> GenerationConfig:
        followed = {
            name: value for name, value in loaded.checkpoint.generation.followed.items() if name != "stop_strings"
        }
        return GenerationConfig(
            **{**followed, "eos_token_id": sorted(self._ends)},
            pad_token_id=self._pad_id,
            decoder_start_token_id=self._start,
            do_sample=False,
            num_beams=1,
        )

    def _transcribe(self, requests: Sequence[Transcribe]) -> list[Response]:
        """The answers to requests of one language, whose sounds are of one shape."""
        self.meter.stage("prefill")
        prefix = self._prefix(requests[0].language)
        with torch.inference_mode():
            states = self._heard(requests)
            self.meter.count(tokens=states.shape[0] * states.shape[1], requests=0)
            self.meter.stage("decode")
            rows, usable = self._written(requests, states, prefix)
            self.meter.count(tokens=sum(map(len, rows)), requests=0)
            own = self._likelihoods(rows, states, prefix)
            spelled = [self._spelled(request.reference) for request in requests]
            references = self._likelihoods([one or () for one in spelled], states, prefix)
        return [
            self._response(request, row, chances, None if request.reference is None else math.fsum(reference), fine)
            for request, row, chances, reference, fine in zip(requests, rows, own, references, usable, strict=True)
        ]

    def _heard(self, requests: Sequence[Transcribe]) -> torch.Tensor:
        """The encoder's states, of shape (sounds, positions, width)."""
        encoder = self.model.get_encoder()
        parts = [requests[start : start + _HEARD_AT_ONCE] for start in range(0, len(requests), _HEARD_AT_ONCE)]
        return torch.cat([encoder(self.ears.features(part)).last_hidden_state for part in parts])

    def _written(
        self, requests: Sequence[Transcribe], states: torch.Tensor, prefix: Tokens
    ) -> tuple[list[Tokens], list[bool]]:
        """The tokens that are written for each sound, up to the end, and whether its logits were numbers throughout."""
        watch = Watch(len(requests))
        settings = GenerationConfig(**self._settings.to_dict())
        settings.max_new_tokens = min(requests[0].max_tokens, self._room(requests[0]))
        with quiet(), instead_of_its_own(self.model, settings):
            # Whisper's own way to generate is one for long sounds, which gives the same for short ones.
            written = GenerationMixin.generate(
                self.model,
                encoder_outputs=_output(states),
                decoder_input_ids=torch.tensor([prefix] * len(requests), device=states.device),
                generation_config=settings,
                logits_processor=LogitsProcessorList([watch]),
            )
        return [self._own(row[len(prefix) :]) for row in written.tolist()], watch.usable

    def _own(self, row: Sequence[int]) -> Tokens:
        """What the model wrote, up to the token that ends it."""
        end = next((place for place, token in enumerate(row) if token in self._ends), len(row))
        return tuple(row[:end])

    def _likelihoods(self, rows: Sequence[Tokens], states: torch.Tensor, prefix: Tokens) -> list[list[float]]:
        """The natural-log probability of each token of each row, given the sound and the tokens before it."""
        found: list[list[float]] = [[] for _ in rows]
        order = sorted((index for index, row in enumerate(rows) if row), key=lambda index: -len(rows[index]))
        for part in self._parts(order, rows, len(prefix)):
            targets = padded([rows[index] for index in part], 0, states.device)["input_ids"]
            inputs = padded([(*prefix, *rows[index][:-1]) for index in part], self._pad_id, states.device)
            logits = self.model(
                encoder_outputs=_output(states[part]), decoder_input_ids=inputs["input_ids"], use_cache=False
            ).logits[:, len(prefix) - 1 :]
            logits = logits.float()
            chances = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1).double() - logits.logsumexp(-1).double()
            for index, values in zip(part, chances.tolist(), strict=True):
                found[index] = values[: len(rows[index])]
        return found

    def _parts(self, order: Sequence[int], rows: Sequence[Tokens], prefix: int) -> Iterator[list[int]]:
        most = max(_LOGITS // self.model.config.vocab_size, 1)
        start = 0
        while start < len(order):
            count = max(most // (len(rows[order[start]]) + prefix), 1)
            yield list(order[start : start + count])
            start += count

    def _response(
        self,
        request: Transcribe,
        row: Tokens,
        chances: Sequence[float],
        reference: float | None,
        fine: bool,
    ) -> Response:
        if not fine or not all(map(math.isfinite, (*chances, reference or 0.0))):
            return Response(request_id=request.id, invalid=NOT_FINITE)
        stop: Stop = "length" if len(row) >= min(request.max_tokens, self._room(request)) else "end"
        return Response(
            request_id=request.id,
            loglikelihood=reference,
            text=str(self.tokenizer.decode(list(row), skip_special_tokens=True)).strip(),
            stop=stop,
            token_ids=row,
            token_loglikelihoods=tuple(chances),
            token_count=len(row),
        )


def _output(states: torch.Tensor) -> BaseModelOutput:
    """The encoder's states as decoders take them; Moonshine's asks for a mask, too, which sounds of one length lack."""
    output = BaseModelOutput(last_hidden_state=states)
    output.attention_mask = None
    return output


def _start_id(model: Any) -> int:
    """The token that the decoder begins with. Raises `ModelError` where neither config names one."""
    for config in (model.generation_config, model.config):
        for field in ("decoder_start_token_id", "bos_token_id"):
            found = getattr(config, field, None)
            if isinstance(found, int):
                return found
    raise ModelError(
        "names no token for the decoder to begin with", place="config.json", fix="Set decoder_start_token_id in it"
    )
