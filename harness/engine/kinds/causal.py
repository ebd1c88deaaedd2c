"""The model of causal transformers: encodes requests, plans batches, runs them, survives a lack of memory."""

import logging
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, ClassVar, TypeVar

import torch
from typing_extensions import override

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.meters import Meter, NullMeter
from harness.core.models import TOLERANCE_NATS, Batch, Model, refuse_others
from harness.core.requests import (
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    Request,
    Response,
    TokenLoglikelihoods,
)
from harness.core.text.reasons import Reason
from harness.core.text.truncation import long_continuation
from harness.engine.encoding import Encoder, Reading, Tokens
from harness.engine.halving import NO_MEMORY, Halving
from harness.engine.lengths import tried_lengths
from harness.engine.packing import StemCache, refusal
from harness.engine.planner import Pack, cut, pack_alone, pack_shared, stem_tokens
from harness.engine.rounding import NOT_FINITE, tolerance
from harness.engine.scoring import ReadingScore, continuing_error, packing_error, rounding_error, score_rows
from harness.engine.states import StateCache
from harness.engine.surprisal import Surprisals, surprisal_response, surprisals_of
from harness.engine.tree import Row
from harness.engine.writing.generation import Continuation, Writer, end_ids
from harness.engine.writing.refusals import no_beams, no_room
from harness.engine.writing.steering import Steering
from harness.engine.writing.stops import StopSpelling

__all__ = ["CausalModel"]

Judgement = TypeVar("Judgement", ReadingScore, Surprisals)

_log = logging.getLogger(__name__)

_ROUNDINGS = 2
"""A self-check in half precision passes with so many times the error that the order of sums makes by itself."""
_WRITING_SHARE = 0.5
"""Prompts are written after together if they have this share of the longest: a step costs little more for padding."""


class CausalModel(Model):
    """Answers requests with a loaded causal language model (`Model` in core).

    What requests share is read once, where the model's attention allows it; `plain_reason` says why it doesn't, None
    where it does. Then the rows of a batch may still continue what the model kept of a beginning that they share
    (`continues`). `batch_tokens` bounds the padded tokens of one forward pass; where the memory doesn't suffice even
    so, the bound halves for the rest of the run. None of this changes a log-likelihood by more than rounding.
    """

    answered: ClassVar[tuple[type[Request], ...]] = (
        Loglikelihood,
        LoglikelihoodRolling,
        TokenLoglikelihoods,
        GenerateUntil,
    )

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model = loaded.model
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.encoder = self._encoder_of(loaded)
        self.lengths = tried_lengths(loaded.model, loaded.max_length)
        self.plain_reason = self._why_plain()
        self.continues = self.plain_reason is not None and self._can_continue()
        stems = StemCache(loaded.model)
        self._beginnings: StemCache | StateCache = StateCache(loaded.model) if self.continues else stems
        self._spelling = StopSpelling(loaded.tokenizer)
        ends = end_ids(loaded.model, loaded.tokenizer)
        self._writer = Writer(
            loaded.model,
            spelling=self._spelling,
            ends=ends,
            steering=Steering(loaded.checkpoint.generation.followed, ends=ends, model=loaded.model),
            stems=None if self.plain_reason else stems,
            tolerance=tolerance(loaded.model.dtype),
            lengths=self.lengths,
        )
        self._reader: Halving[Row, Any] = Halving(batch_tokens)
        self._readings: dict[str, tuple[Reading, ...]] = {}
        self._prompts: dict[str, Tokens] = {}

    def _encoder_of(self, loaded: LoadedCheckpoint) -> Encoder:
        return Encoder(loaded.tokenizer, loaded.max_length, loaded.model)

    @cached_property
    def _scribe(self) -> Halving[GenerateUntil, list[Continuation]]:
        """Made when something is to be written: how much memory that takes is known by reading a token."""
        return Halving(self._writer.room(self.batch_tokens))

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """Choices, then whole texts, then generations."""
        requests = sorted(requests, key=lambda request: request.id)
        self._encode(requests)
        pairs = [request for request in requests if isinstance(request, Loglikelihood)]
        texts = [request for request in requests if isinstance(request, LoglikelihoodRolling)]
        examined = [request for request in requests if isinstance(request, TokenLoglikelihoods)]
        prompts = [request for request in requests if isinstance(request, GenerateUntil)]
        if self.plain_reason and not self.continues:
            scored = [*self._plan_alone([*pairs, *texts])]
        else:
            near = [pair for pair in pairs if self.lengths.way(len(self._readings[pair.id][0].inputs)) == 0]
            far = [pair for pair in pairs if self.lengths.way(len(self._readings[pair.id][0].inputs)) != 0]
            scored = [*self._plan_shared(near), *self._plan_alone([*far, *texts])]
        return [*scored, *self._plan_alone(examined), *self._plan_writing(prompts)]

    @override
    def answer(self, batch: Batch) -> list[Response]:
        asked = {request.id: request for request in batch.requests}
        return [
            replace(one, unread_character_count=self._unread(asked[one.request_id])) for one in self._answers(batch)
        ]

    def _unread(self, request: Request) -> int:
        if isinstance(request, GenerateUntil):
            return self.encoder.unread_character_count(request, self._prompts[request.id])
        if isinstance(request, Loglikelihood):
            return self.encoder.unread_character_count(request, self._readings[request.id][0].inputs)
        return 0

    def _answers(self, batch: Batch) -> list[Response]:
        writing = [request for request in batch.requests if isinstance(request, GenerateUntil)]
        texts = [request for request in batch.requests if isinstance(request, TokenLoglikelihoods)]
        if writing:
            return list(self._write(writing))
        return list(self._examine(texts, batch.work) if texts else self._score(batch.requests, batch.work))

    def forget(self, request_ids: Collection[str]) -> None:
        """Let go of what was kept of requests that won't be asked again, and of the stem read last."""
        for name in request_ids:
            self._readings.pop(name, None)
            self._prompts.pop(name, None)
        self._beginnings.clear()

    def _why_plain(self) -> Reason | None:
        """Why nothing is shared, by the model's kind of attention, or by trying."""
        reason = refusal(self.model)
        if reason is None:
            reason = self._packing_fault()
        if reason:
            _log.info("nothing is packed: %s", reason)
        return reason

    def _can_continue(self) -> bool:
        """Whether the model goes on from what it kept of a text as from the text, by trying."""
        try:
            return self._is_rounding(continuing_error(self.model))
        except Exception as fault:  # of models that keep nothing, or nothing that can be copied for each row
            _log.info("each request is read by itself: what the model keeps of a text can't be copied (%s)", fault)
            return False

    def _packing_fault(self) -> Reason | None:
        try:
            error = packing_error(self.model)
        except Exception as fault:  # whatever a model does with a mask or a cache of a kind that it doesn't expect
            said = f"{type(fault).__name__}: {fault}"
            return Reason("the packed way fails on a self-check ({error})", error=said)
        if not self._is_rounding(error):
            return Reason("packed and plain log-likelihoods differ by {nats} nats on a self-check", nats=f"{error:.2g}")
        return None

    def _is_rounding(self, error: float) -> bool:
        """Whether a self-check's error, in nats, is no more than what rounding does to this model on this device."""
        allowed = tolerance(self.model.dtype)
        if error <= allowed or allowed == TOLERANCE_NATS or not math.isfinite(error):
            return error <= allowed
        return error <= _ROUNDINGS * rounding_error(self.model)

    def _encode(self, requests: Sequence[Request]) -> None:
        """Encode the requests that were not seen before, all strings of a kind at once."""
        new = [request for request in requests if request.id not in self._readings and request.id not in self._prompts]
        pairs = [request for request in new if isinstance(request, Loglikelihood)]
        texts = [request for request in new if isinstance(request, LoglikelihoodRolling)]
        examined = [request for request in new if isinstance(request, TokenLoglikelihoods)]
        prompts = [request for request in new if isinstance(request, GenerateUntil)]
        refuse_others(new, self.answered, "a causal model")
        if pairs:
            read = self.encoder.loglikelihoods(pairs)
            self._readings.update((pair.id, (reading,)) for pair, reading in zip(pairs, read, strict=True))
        if texts:
            windows = self.encoder.rolling(texts)
            self._readings.update((text.id, window) for text, window in zip(texts, windows, strict=True))
        if examined:
            self._readings.update(
                (request.id, (reading,))
                for request, reading in zip(examined, self.encoder.beginnings(examined), strict=True)
            )
        if prompts:
            tokens = self.encoder.prompts(prompts)
            self._prompts.update((prompt.id, row) for prompt, row in zip(prompts, tokens, strict=True))

    def _plan_shared(self, requests: Sequence[Request]) -> Iterator[Batch]:
        """Batches in which what the requests' contexts share is read once."""
        askers: dict[Tokens, list[Request]] = {}
        free: dict[Tokens, int] = {}
        for request in requests:
            (reading,) = self._readings[request.id]
            if _is_answerable(reading):
                askers.setdefault(reading.inputs, []).append(request)
                before = len(reading.inputs) - len(reading.targets)
                free[reading.inputs] = min(before, free.get(reading.inputs, before))
        last = Pack(rows=())
        for pack in pack_shared(free, self.batch_tokens, branching=self.plain_reason is None):
            computed = sum(len(row.tokens) for row in pack.rows) + stem_tokens(pack, last)
            last = pack
            asked = tuple(request for row in pack.rows for inputs in row.ends for request in askers[inputs])
            yield self._batch(asked, pack, computed)
        left = tuple(request for request in requests if not _is_answerable(self._readings[request.id][0]))
        if left:
            yield self._batch(left, Pack(rows=()), 0)

    def _plan_alone(self, requests: Sequence[Request]) -> Iterator[Batch]:
        """Batches in which each reading is a row of its own; the windows of one text stay together."""
        groups = [
            tuple(reading.inputs for reading in self._readings[request.id] if _is_answerable(reading))
            for request in requests
        ]
        asking = [index for index, group in enumerate(groups) if group]
        for pack, indices in pack_alone([groups[index] for index in asking], self.batch_tokens, self.lengths.way):
            computed = sum(len(row.tokens) for row in pack.rows)
            yield self._batch(tuple(requests[asking[index]] for index in indices), pack, computed)
        left = tuple(request for request, group in zip(requests, groups, strict=True) if not group)
        if left:
            yield self._batch(left, Pack(rows=()), 0)

    def _plan_writing(self, requests: Sequence[GenerateUntil]) -> Iterator[Batch]:
        """Batches of prompts of like length, tokens to be written included."""
        groups: dict[tuple[int | str, ...], list[tuple[int, Tokens, GenerateUntil]]] = {}
        for request in requests:
            prompt = self._prompts[request.id]
            key = self._writer.batch_key(request, prompt)
            groups.setdefault(key, []).append((-self._writer.width(request, prompt), prompt, request))
        for _, group in sorted(groups.items(), reverse=True):
            ordered = sorted(group, key=lambda one: (one[0], one[1], one[2].id))
            for part in cut([-width for width, _, _ in ordered], self._writer.room(self.batch_tokens), _WRITING_SHARE):
                _, prompts, chosen = zip(*ordered[part.start : part.stop], strict=True)
                computed = self._writer.computed_token_count(chosen, prompts, self.batch_tokens)
                yield Batch(chosen, None, sum(map(len, prompts)), computed)

    def _batch(self, requests: tuple[Request, ...], pack: Pack, computed: int) -> Batch:
        asked = sum(len(reading.inputs) for request in requests for reading in self._readings[request.id])
        return Batch(requests, pack, asked, computed)

    def _score(self, requests: Sequence[Request], pack: Pack) -> Iterator[Response]:
        verdicts = self._read(requests, pack, score_rows)
        for request in requests:
            yield _answer(request, self._readings[request.id], verdicts)

    def _examine(self, requests: Sequence[TokenLoglikelihoods], pack: Pack) -> Iterator[Response]:
        found = self._read(requests, pack, surprisals_of)
        ends = self.encoder.ends([request.text for request in requests])
        for request in requests:
            (reading,) = self._readings[request.id]
            if reading.targets and reading not in found:
                yield Response(request_id=request.id, invalid=NO_MEMORY)
            else:
                yield surprisal_response(request, reading, found.get(reading), ends.get(request.text))

    def _read(
        self, requests: Sequence[Request], pack: Pack, judge: Callable[..., dict[Reading, Judgement]]
    ) -> dict[Reading, Judgement]:
        """What `judge` says of the requests' readings; those that the memory can't hold are left out."""
        self.meter.stage("prefill")
        wanted: dict[Tokens, set[Reading]] = {}
        for request in requests:
            for reading in self._readings[request.id]:
                wanted.setdefault(reading.inputs, set()).add(reading)

        def compute(pack: Pack, rows: Sequence[Row]) -> dict[Reading, Judgement]:
            readings = [one for row in rows for inputs in row.ends for one in sorted(wanted[inputs], key=_targets)]
            stem, tokens = self._beginnings.stem(pack.stem, pack.chain) if pack.stem else (None, 0)
            judged = judge(self.model, rows, readings, stem)
            self.meter.count(tokens=tokens + sum(len(row.tokens) for row in rows), requests=0)
            return judged

        found: dict[Reading, Judgement] = {}
        again: list[Tokens] = []
        for rows, judged in self._reader.run(pack.rows, _row_length, partial(compute, pack)):
            found |= judged or {}
            # What shares more than the memory can hold may well fit by itself; and a number that is none in one
            # sequence makes numbers that are none of all in its row, as masked attention multiplies it by zero.
            usable = {reading for reading, one in (judged or {}).items() if _is_finite(one)}
            if pack.stem or not all(row.is_path for row in rows):
                again += [inputs for row in rows for inputs in row.ends if not wanted[inputs] <= usable]
        for alone, _ in pack_alone([(inputs,) for inputs in again], self._reader.batch_tokens, self.lengths.way):
            for _, judged in self._reader.run(alone.rows, _row_length, partial(compute, alone)):
                found |= judged or {}
        self.meter.count(tokens=0, requests=len(requests))
        return found

    def _write(self, batch: Sequence[GenerateUntil]) -> Iterator[Response]:
        fitting = []
        for request in batch:
            reason = self._why_unwritten(request)
            if reason:
                yield Response(request_id=request.id, invalid=reason)
            else:
                fitting.append(request)
        for group, written in self._scribe.run(fitting, self._width, self._decode, _WRITING_SHARE):
            self.meter.count(tokens=0, requests=len(group))
            if written is None:
                yield Response(request_id=group[0].id, invalid=NO_MEMORY)
            else:
                for one in written:
                    # In a batch it may be another's fault: see `_read`.
                    (sole,) = self._decode((one.request,)) if one.invalid and len(group) > 1 else (one,)
                    yield self._generation(sole)

    def _why_unwritten(self, request: GenerateUntil) -> str | None:
        return no_room(request, self.encoder.max_length) or no_beams(request)

    def _width(self, request: GenerateUntil) -> int:
        return self._writer.width(request, self._prompts[request.id])

    def _decode(self, group: Sequence[GenerateUntil]) -> list[Continuation]:
        prompts = [self._prompts[request.id] for request in group]
        budget, room = self._reader.batch_tokens, self._scribe.batch_tokens
        return self._writer.write(group, prompts, budget=budget, room=room, meter=self.meter)

    def _generation(self, one: Continuation) -> Response:
        read, wrote = len(one.prompt), len(one.token_ids)
        if one.invalid:
            return Response(request_id=one.request.id, context_token_count=read, invalid=NOT_FINITE)
        return Response(
            request_id=one.request.id,
            token_ids=tuple(one.token_ids),
            token_count=wrote,
            context_token_count=read,
            **self._spelling.reply(one.token_ids, one.request.until, one.stop, one.opened),
        )


def _is_answerable(reading: Reading) -> bool:
    """Whether there is something to predict, all of it inside the window."""
    return 0 < len(reading.targets) <= len(reading.inputs)


def _row_length(row: Row) -> int:
    return len(row.tokens)


def _targets(reading: Reading) -> Tokens:
    return reading.targets


def _answer(request: Request, readings: tuple[Reading, ...], verdicts: dict[Reading, ReadingScore]) -> Response:
    """The sum of a request's readings."""
    predicted = sum(len(reading.targets) for reading in readings)
    read = sum(len(reading.inputs) for reading in readings)
    found = [verdicts.get(reading) for reading in readings if reading.targets]
    total = math.fsum(verdict.loglikelihood for verdict in found if verdict)
    invalid: str | None = None
    if any(len(reading.targets) > len(reading.inputs) for reading in readings):
        invalid = long_continuation(predicted)
    elif None in found:
        invalid = NO_MEMORY
    elif not math.isfinite(total):
        invalid = NOT_FINITE
    if invalid:
        return Response(request_id=request.id, token_count=predicted, context_token_count=read, invalid=invalid)
    greedy = all(verdict.is_greedy for verdict in found if verdict) if isinstance(request, Loglikelihood) else None
    return Response(
        request_id=request.id,
        loglikelihood=total,
        is_greedy=greedy,
        token_count=predicted,
        context_token_count=read,
    )


def _is_finite(judgement: ReadingScore | Surprisals) -> bool:
    if isinstance(judgement, ReadingScore):
        return math.isfinite(judgement.loglikelihood)
    return bool(torch.isfinite(judgement.loglikelihoods).all())
