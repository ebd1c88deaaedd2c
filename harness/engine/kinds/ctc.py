"""The model of speech recognisers without a decoder: a letter, or none, for each moment of a sound."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch, Model, refuse_others
from harness.core.requests import Request, Response, Transcribe
from harness.core.text.reasons import Reason
from harness.engine.ears import Ears
from harness.engine.encoding import Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.rounding import NOT_FINITE

__all__ = ["CtcModel"]

_WIDTH = 512
"""Tokens that a sound counts for in a batch, whatever its length."""
_IMPOSSIBLE = "the sound is too short for the reference to be said in it"


class CtcModel(Model):
    """Answers requests with a loaded model that was trained with CTC (`Model` in core; Graves et al., 2006).

    The text is that of the likeliest letter at each moment, runs of one letter being one; so it has no end, and
    `max_tokens` cuts nothing. A token's log-probability is that of the surest moment of its run; the reference's sums
    over all ways to say it, in the letters that the model has.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model: Any = loaded.model
        self.tokenizer: Any = loaded.tokenizer
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.ears = Ears(loaded)
        self._blank = int(self.model.config.pad_token_id)
        self._passes: Halving[Transcribe, list[Response]] = Halving(batch_tokens)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """By the length of the sound."""
        refuse_others(requests, (Transcribe,), "a speech recogniser")
        ordered = sorted((one for one in requests if isinstance(one, Transcribe)), key=lambda request: request.id)
        return [Batch(batch) for batch in self.ears.batches(ordered, self.batch_tokens, _WIDTH)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        self.meter.stage("prefill")
        found, fitting = [], []
        for request in batch.requests:
            assert isinstance(request, Transcribe)
            reason = self.ears.refusal(request)
            if reason is None:
                fitting.append(request)
            else:
                found.append(Response(request_id=request.id, invalid=reason))
        for group, answers in self._passes.run(fitting, lambda _request: _WIDTH, self._transcribe):
            found += answers or [Response(request_id=request.id, invalid=NO_MEMORY) for request in group]
        self.meter.count(tokens=0, requests=len(batch.requests))
        return found

    def _transcribe(self, requests: Sequence[Transcribe]) -> list[Response]:
        with torch.inference_mode():
            logits = self.model(self.ears.features(requests)).logits.float().cpu()
        self.meter.count(tokens=logits.shape[0] * logits.shape[1], requests=0)
        return [
            self._response(request, chances) for request, chances in zip(requests, logits.log_softmax(-1), strict=True)
        ]

    def _response(self, request: Transcribe, chances: Tensor) -> Response:
        """The answer by the log-probabilities of shape (moments, letters)."""
        if not bool(chances.isfinite().all()):
            return Response(request_id=request.id, invalid=NOT_FINITE)
        surest, path = chances.max(-1)
        moments = list(zip(path.tolist(), surest.tolist(), strict=True))
        runs = [
            (letter, max(chance for _, chance in run)) for letter, run in groupby(moments, key=lambda moment: moment[0])
        ]
        written = [(letter, chance) for letter, chance in runs if letter != self._blank]
        reference = None if request.reference is None else self._likelihood(request.reference, chances)
        if reference is not None and not math.isfinite(reference):
            return Response(request_id=request.id, invalid=Reason(_IMPOSSIBLE))
        return Response(
            request_id=request.id,
            loglikelihood=reference,
            text=str(self.tokenizer.decode(path.tolist(), skip_special_tokens=True)).strip(),
            stop="end",
            token_ids=tuple(letter for letter, _ in written),
            token_loglikelihoods=tuple(chance for _, chance in written),
            token_count=len(written),
        )

    def _likelihood(self, reference: str, chances: Tensor) -> float:
        """The natural-log probability of all paths that spell the text; minus infinity where there is none."""
        targets = torch.tensor([self._spelled(reference)], dtype=torch.long)
        loss = torch.nn.functional.ctc_loss(
            chances.double().unsqueeze(1),
            targets,
            torch.tensor([len(chances)]),
            torch.tensor([targets.shape[1]]),
            blank=self._blank,
            reduction="sum",
        )
        return min(-float(loss), 0.0)

    def _spelled(self, text: str) -> Tokens:
        """A text in the letters that the model has, capital or small; what it has no letter for is left out."""
        unknown = self.tokenizer.unk_token_id
        spellings = [
            [one for one in self.tokenizer(form, verbose=False)["input_ids"] if one != unknown]
            for form in (text, text.upper(), text.lower())
        ]
        longest: list[int] = max(spellings, key=lambda spelling: len(spelling))
        return tuple(longest)
