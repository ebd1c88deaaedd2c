"""The model of causal transformers that see or hear: a causal model, in whose texts media are tokens."""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.vocabulary import word_count
from harness.core.errors import CheckpointError, ModelError
from harness.core.meters import Meter
from harness.core.models import Batch, refuse_others
from harness.core.requests import (
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    Request,
    Response,
    TokenLoglikelihoods,
)
from harness.core.text.reasons import Reason
from harness.core.token_energy import ENCODE
from harness.engine.encoding import Encoder
from harness.engine.halving import NO_MEMORY, is_lack_of_memory
from harness.engine.kinds.causal import CausalModel
from harness.engine.scoring import score_rows
from harness.engine.senses.encoding import Multimodal, SensingEncoder, why_unsound
from harness.engine.senses.percepts import Percepts
from harness.engine.senses.plain import PlainReader
from harness.engine.senses.sense import Sense
from harness.engine.tree import path_row

__all__ = ["SensingModel"]

_log = logging.getLogger(__name__)

_TRIAL = 8
"""Tokens of the text of a trial."""

_PLAIN, _UNSOUND = object(), object()
"""The work of batches with media that are read the model's own way, or not at all."""
_LOOKS_AHEAD = "in this model's prompts tokens see later ones, so it doesn't predict a text from left to right"


class SensingModel(CausalModel):
    """As `CausalModel`, for requests with media of one `sense_type` too.

    Where a trial shows that a medium is no more to the model than vectors in the places of its tokens, it is
    encoded once, and all that shares, packs and batches tokens holds for it. Else such requests are read by the model's
    own forward pass, one at a time: `own_way_reason` says why, None where that isn't so. So are texts alone by a model
    that `looks_ahead`, in whose prompts tokens see later ones: it predicts what follows a prompt, and no text from its
    beginning on.
    """

    sense_type: ClassVar[type[Sense]]
    title: ClassVar[str]
    examples: ClassVar[str]

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        if loaded.model.config.is_encoder_decoder:
            raise CheckpointError(
                f"its text is written by a decoder beside an encoder, which isn't read together with {self._many}",
                place=loaded.checkpoint.path,
                fix=f"Give a model whose {self._many} and texts are read by one decoder, such as {self.examples}",
            )
        self.percepts = Percepts(loaded.model, self.sense_type(loaded.processor, loaded.model.config))
        super().__init__(loaded, batch_tokens=batch_tokens, meter=meter)
        self._plain = PlainReader(loaded.model, self.encoder, self.percepts, self._writer)
        self.looks_ahead = not self._is_rounding(_later_error(loaded.model))
        self.own_way_reason = self._why_own_way()
        if self.own_way_reason:
            _log.info("%s are read by the model's own forward pass: %s", self._many, self.own_way_reason)
            self._plain.remember()
        self.percepts.encoded_count = 0

    @property
    def _many(self) -> str:
        return self.sense_type.many

    @override
    def _encoder_of(self, loaded: LoadedCheckpoint) -> Encoder:
        return SensingEncoder(loaded.tokenizer, loaded.max_length, loaded.model, self.percepts)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """What can't be read first, then the batches of a causal model, then what is read the model's own way."""
        unsound, own, others = [], [], []
        for request in sorted(requests, key=_by_media):
            if self._why_invalid(request):
                unsound.append(request)
            elif self.own_way_reason if isinstance(request, Multimodal) else self.looks_ahead:
                own.append(request)
            else:
                others.append(request)
        refuse_others(requests, self.answered, self.title)
        return [
            *([Batch(tuple(unsound), _UNSOUND)] if unsound else []),
            *super().plan(others),
            *(Batch((one,), _PLAIN) for one in own),
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        if batch.work is _UNSOUND:
            return [Response(request_id=one.id, invalid=self._why_invalid(one)) for one in batch.requests]
        sensed = [request for request in batch.requests if isinstance(request, Multimodal)]
        self.percepts.asked_count += sum(len(request.media) for request in sensed)
        if batch.work is _PLAIN:
            return [self._own_way(request) for request in batch.requests]
        names = [name for request in sensed for name in request.media]
        try:
            self._encode_media(names)
        except Exception as error:
            if not is_lack_of_memory(error):
                raise
            return [Response(request_id=request.id, invalid=NO_MEMORY) for request in batch.requests]
        return super().answer(batch)

    def _encode_media(self, names: Sequence[str]) -> None:
        """In a stage of its own, so that what reading text costs can be told from what making tokens of media does."""
        new = self.percepts.unheld(names)
        if new:
            self.meter.stage(ENCODE)
        self.percepts.hold(names)
        if new:
            self.meter.count(tokens=sum(self.percepts.look(name).token_count for name in new), requests=0)

    def _why_invalid(self, request: Request) -> Reason | str | None:
        """Why a request can't be read, whatever the others are."""
        if not isinstance(request, Multimodal):
            from_left = isinstance(request, LoglikelihoodRolling | TokenLoglikelihoods)
            return _LOOKS_AHEAD if from_left and self.looks_ahead else None
        if request.noise and self.own_way_reason:
            return Reason(
                "no noise can be put on what the model's own forward pass reads together with {media}", media=self._many
            )
        return why_unsound(request, self.percepts.sense)

    def _own_way(self, request: Request) -> Response:
        self.meter.stage("prefill")
        if isinstance(request, Loglikelihood):
            response = self._plain.loglikelihood(request)
            self.meter.count(tokens=response.context_token_count + response.token_count, requests=1)
            return response
        assert isinstance(request, GenerateUntil)
        if reason := self._why_unwritten(request):
            response = Response(request_id=request.id, invalid=reason)
        else:
            written = self._plain.write(request)
            response = written if isinstance(written, Response) else self._generation(written)
        self.meter.count(tokens=response.context_token_count + response.token_count, requests=1)
        return response

    def _why_own_way(self) -> Reason | None:
        """Why media can't be virtual tokens, by trying one."""
        sense = self.percepts.sense
        trial = sense.trial()
        try:
            expected = self._plain.loglikelihood(trial)
        except Exception as fault:  # whatever a processor or a model does with a picture
            said = f"{type(fault).__name__}: {str(fault)[:300]}"
            raise ModelError(f"a trial {sense.one} can't be read ({said})") from fault
        if expected.loglikelihood is None:
            return Reason("a trial {medium} gets no answer ({error})", medium=sense.one, error=expected.invalid or "")
        try:
            self.percepts.hold(trial.media)
            (reading,) = self.encoder.loglikelihoods([trial])
            found = score_rows(self.model, [path_row(reading.inputs)], [reading])[reading].loglikelihood
        except Exception as fault:
            said = f"{type(fault).__name__}: {fault}"
            return Reason("a {medium} can't stand as tokens of its own ({error})", medium=sense.one, error=said[:300])
        error = abs(found - expected.loglikelihood)
        if not self._is_rounding(error):
            return Reason(
                "{media} as tokens change a log-likelihood by {nats} nats on a trial",
                media=sense.many,
                nats=f"{error:.2g}",
            )
        return None


def _by_media(request: Request) -> tuple[tuple[str, ...], str]:
    return (request.media if isinstance(request, Multimodal) else ()), request.id


def _later_error(model: Any) -> float:
    """By how many nats a text's last token changes what is predicted before it."""
    words = word_count(model)
    token_ids = torch.tensor([[(7 * step + 3) % words for step in range(_TRIAL)]] * 2, device=model.device)
    token_ids[1, -1] = (token_ids[0, -1] + 1) % words
    with torch.inference_mode():
        first, second = model(input_ids=token_ids, use_cache=False).logits[:, :-1].float().log_softmax(-1)
    return float((first - second).abs().max())
