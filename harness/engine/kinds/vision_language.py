"""The model of causal transformers that see: a causal model, in whose texts pictures are tokens."""

import logging
from collections.abc import Sequence
from typing import ClassVar

from PIL import Image
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.errors import CheckpointError, ModelError
from harness.core.media import OBJECT, Medium
from harness.core.meters import Meter
from harness.core.models import Batch
from harness.core.requests import (
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    Request,
    Response,
)
from harness.core.text.reasons import Reason
from harness.engine.encoding import Encoder
from harness.engine.kinds.causal import CausalModel
from harness.engine.scoring import score_rows
from harness.engine.seeing.encoding import Multimodal, SeeingEncoder, why_unsound
from harness.engine.seeing.pictures import Pictures
from harness.engine.seeing.plain import PlainReader
from harness.engine.tree import path_row
from harness.media.pictures import picture

__all__ = ["VisionLanguageModel"]

_log = logging.getLogger(__name__)

_PLAIN, _UNSOUND = object(), object()
"""The work of batches with pictures that are read the model's own way, or not at all."""


class VisionLanguageModel(CausalModel):
    """As `CausalModel`, for requests with pictures too.

    Where a trial shows that a picture is no more to the model than vectors in the places of its image tokens, it is
    encoded once, and all that shares, packs and batches tokens holds for it. Else such requests are read by the model's
    own forward pass, one at a time: `own_way_reason` says why, None where that isn't so.
    """

    answered: ClassVar[tuple[type[Request], ...]] = (
        *CausalModel.answered,
        MultimodalLoglikelihood,
        MultimodalGenerateUntil,
    )

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        if loaded.model.config.is_encoder_decoder:
            raise CheckpointError(
                "its text is written by a decoder beside an encoder, which isn't read together with pictures",
                place=loaded.checkpoint.path,
                fix="Give a model whose pictures and texts are read by one decoder, such as LLaVA or Qwen2-VL",
            )
        self.pictures = Pictures(loaded.model, loaded.processor)
        super().__init__(loaded, batch_tokens=batch_tokens, meter=meter)
        self._plain = PlainReader(loaded.model, loaded.processor, self.encoder, self.pictures, self._writer)
        self.own_way_reason = self._why_own_way()
        if self.own_way_reason:
            _log.info("pictures are read by the model's own forward pass: %s", self.own_way_reason)
            self._plain.remember_pictures()
        self.pictures.encoded_count = 0

    @override
    def _encoder_of(self, loaded: LoadedCheckpoint) -> Encoder:
        return SeeingEncoder(loaded.tokenizer, loaded.max_length, loaded.model, self.pictures)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """What can't be read first, then the batches of a causal model, then what is read the model's own way."""
        seen = sorted((one for one in requests if isinstance(one, Multimodal)), key=_by_pictures)
        unsound = tuple(one for one in seen if why_unsound(one, self.pictures.marks))
        own = [one for one in seen if one not in unsound] if self.own_way_reason else []
        apart = {one.id for one in (*unsound, *own)}
        return [
            *([Batch(unsound, _UNSOUND)] if unsound else []),
            *super().plan([one for one in requests if one.id not in apart]),
            *(Batch((one,), _PLAIN) for one in own),
        ]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        seen = [request for request in batch.requests if isinstance(request, Multimodal)]
        if batch.work is _UNSOUND:
            return [Response(request_id=one.id, invalid=why_unsound(one, self.pictures.marks)) for one in seen]
        self.pictures.asked_count += sum(len(request.media) for request in seen)
        if batch.work is _PLAIN:
            return [self._own_way(request) for request in seen]
        if seen:
            self.meter.stage("prefill")
            self.pictures.hold(name for request in seen for name in request.media)
        return super().answer(batch)

    def _own_way(self, request: Multimodal) -> Response:
        self.meter.stage("prefill")
        if isinstance(request, MultimodalLoglikelihood):
            response = self._plain.loglikelihood(request)
        elif reason := self._why_unwritten(request):
            response = Response(request_id=request.id, invalid=reason)
        else:
            written = self._plain.write(request)
            response = written if isinstance(written, Response) else self._generation(written)
        self.meter.count(tokens=response.context_token_count + response.token_count, requests=1)
        return response

    def _why_own_way(self) -> Reason | None:
        """Why pictures can't be virtual tokens, by trying one."""
        trial = MultimodalLoglikelihood(
            context=f"We see {OBJECT} here:", continuation=" it is on", media=(_gradient(),)
        )
        try:
            expected = self._plain.loglikelihood(trial)
        except Exception as fault:  # whatever a processor or a model does with a picture
            raise ModelError(f"a trial picture can't be read ({type(fault).__name__}: {str(fault)[:300]})") from fault
        if expected.loglikelihood is None:
            return Reason("a trial picture gets no answer ({error})", error=expected.invalid or "")
        try:
            self.pictures.hold(trial.media)
            (reading,) = self.encoder.loglikelihoods([trial])
            found = score_rows(self.model, [path_row(reading.inputs)], [reading])[reading].loglikelihood
        except Exception as fault:
            said = f"{type(fault).__name__}: {fault}"
            return Reason("a picture can't stand as tokens of its own ({error})", error=said[:300])
        error = abs(found - expected.loglikelihood)
        if not self._is_rounding(error):
            return Reason("pictures as tokens change a log-likelihood by {nats} nats on a trial", nats=f"{error:.2g}")
        return None


def _by_pictures(request: Multimodal) -> tuple[tuple[str, ...], str]:
    return request.media, request.id


def _gradient() -> Medium:
    """A picture that is nowhere the same, and wider than high."""
    image = Image.linear_gradient("L").resize((64, 48))
    return picture(Image.merge("RGB", (image, image.rotate(180), image.transpose(Image.Transpose.FLIP_TOP_BOTTOM))))
