"""The model of causal transformers: encodes requests, plans batches, runs them, survives a lack of memory."""

import logging
import math
from collections.abc import Iterator, Sequence
from typing import TypeVar

from accelerate.utils.memory import should_reduce_batch_size

from harness.checkpoints.load import LoadedCheckpoint
from harness.core.errors import ModelError
from harness.core.meters import Meter, NullMeter
from harness.core.models import Batch
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.engine.encoding import Encoder, Reading, Tokens
from harness.engine.generation import Continuation, cut_at_stop, decode, end_ids
from harness.engine.planner import Job, cut, plan
from harness.engine.scoring import Verdict, score_readings

__all__ = ["CausalModel"]

Item = TypeVar("Item", Reading, GenerateUntil)

_log = logging.getLogger(__name__)

_NOT_FINITE = "the model's logits are NaN or infinite"
_NO_MEMORY = "out of memory even with this request alone"


class CausalModel:
    """Answers requests with a loaded causal language model (`Model` in core).

    `batch_tokens` bounds the padded tokens of one forward pass; where the memory doesn't suffice even so, the bound
    halves for the rest of the run. Neither changes a log-likelihood by more than rounding.
    """

    def __init__(self, loaded: LoadedCheckpoint, *, batch_tokens: int, meter: Meter | None = None) -> None:
        self.model = loaded.model
        self.batch_tokens = batch_tokens
        self.meter: Meter = meter or NullMeter()
        self.encoder = Encoder(loaded.tokenizer, loaded.max_length)
        self._ends = end_ids(loaded.model, loaded.tokenizer)
        self._present_budget = batch_tokens
        self._readings: dict[str, tuple[Reading, ...]] = {}
        self._prompts: dict[str, Tokens] = {}

    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """See `Model.plan`: likelihoods first, then generations."""
        self._encode(requests)
        by_id = {request.id: request for request in requests}
        scoring = [self._job(request) for request in requests if not isinstance(request, GenerateUntil)]
        writing = [self._job(request) for request in requests if isinstance(request, GenerateUntil)]
        keys = plan(scoring, self.batch_tokens) + plan(writing, self.batch_tokens)
        return [Batch(tuple(by_id[key] for key in batch)) for batch in keys]

    def answer(self, batch: Batch) -> list[Response]:
        """See `Model.answer`."""
        writing = [request for request in batch.requests if isinstance(request, GenerateUntil)]
        return list(self._write(writing) if writing else self._score(batch.requests))

    def _encode(self, requests: Sequence[Request]) -> None:
        """Encode the requests that were not seen before, all strings of a kind at once."""
        new = [request for request in requests if request.id not in self._readings and request.id not in self._prompts]
        pairs = [request for request in new if isinstance(request, Loglikelihood)]
        texts = [request for request in new if isinstance(request, LoglikelihoodRolling)]
        prompts = [request for request in new if isinstance(request, GenerateUntil)]
        if len(pairs) + len(texts) + len(prompts) < len(new):
            raise ModelError(f"a causal model can't answer requests of the kinds {sorted({r.kind for r in new})}")
        if pairs:
            readings = self.encoder.loglikelihoods(pairs)
            self._readings.update((pair.id, (reading,)) for pair, reading in zip(pairs, readings, strict=True))
        if texts:
            windows = self.encoder.rolling(texts)
            self._readings.update((text.id, window) for text, window in zip(texts, windows, strict=True))
        if prompts:
            tokens = self.encoder.prompts(prompts)
            self._prompts.update((prompt.id, row) for prompt, row in zip(prompts, tokens, strict=True))

    def _job(self, request: Request) -> Job:
        if isinstance(request, GenerateUntil):
            return Job(key=request.id, rows=(self._prompts[request.id],), new_tokens=request.max_tokens)
        return Job(key=request.id, rows=tuple(reading.inputs for reading in self._readings[request.id]))

    def _score(self, batch: Sequence[Request]) -> Iterator[Response]:
        self.meter.stage("prefill")
        readings = [
            reading
            for request in batch
            for reading in self._readings[request.id]
            if 0 < len(reading.targets) <= len(reading.inputs)
        ]
        verdicts = self._verdicts(sorted(set(readings), key=lambda one: (-len(one.inputs), one.inputs, one.targets)))
        for request in batch:
            yield _answer(request, self._readings[request.id], verdicts)
        self.meter.count(tokens=0, requests=len(batch))

    def _verdicts(self, readings: Sequence[Reading]) -> dict[Reading, Verdict | None]:
        """Each reading's verdict, None where the memory doesn't suffice for it alone."""
        verdicts: dict[Reading, Verdict | None] = {}
        waiting = self._groups(readings)
        while waiting:
            group = waiting.pop()
            try:
                found, tokens = score_readings(self.model, group)
            except Exception as error:
                if not _out_of_memory(error):
                    raise
                halves = self._halves(group)
                verdicts.update({} if halves else dict.fromkeys(group))
                waiting.extend(halves)
                continue
            self.meter.count(tokens=tokens, requests=0)
            verdicts.update(zip(group, found, strict=True))
        return verdicts

    def _groups(self, readings: Sequence[Reading]) -> list[list[Reading]]:
        """Readings cut by the present budget, in falling length; those of equal inputs stay together."""
        rows: dict[Tokens, list[Reading]] = {}
        for reading in readings:
            rows.setdefault(reading.inputs, []).append(reading)
        inputs = list(rows)
        return [
            [reading for index in part for reading in rows[inputs[index]]]
            for part in cut([len(row) for row in inputs], self._present_budget)
        ]

    def _halves(self, group: list[Item]) -> list[list[Item]]:
        """The group in two, and half of the budget from here on; nothing where it is a single item."""
        self._present_budget = max(self._present_budget // 2, 1)
        _log.warning("out of memory: going on with %d tokens in one forward pass", self._present_budget)
        middle = len(group) // 2
        return [group[:middle], group[middle:]] if middle else []

    def _write(self, batch: list[GenerateUntil]) -> Iterator[Response]:
        room = self.encoder.max_length
        for request in batch:
            if request.max_tokens >= room:
                reason = f"{request.max_tokens} tokens to write leave no room for a prompt in a window of {room}"
                yield Response(request_id=request.id, invalid=reason)
        fitting = [request for request in batch if request.max_tokens < room]
        widths = [len(self._prompts[request.id]) + request.max_tokens for request in fitting]
        waiting = [[fitting[index] for index in part] for part in cut(widths, self._present_budget)]
        while waiting:
            group = waiting.pop()
            self.meter.stage("prefill")
            try:
                written = self._decode(group)
            except Exception as error:
                if not _out_of_memory(error):
                    raise
                halves = self._halves(group)
                waiting.extend(halves)
                if not halves:
                    yield Response(request_id=group[0].id, invalid=_NO_MEMORY)
                continue
            self.meter.count(tokens=0, requests=len(group))
            yield from (self._generation(one) for one in written)

    def _decode(self, group: list[GenerateUntil]) -> list[Continuation]:
        def on_stage(stage: str, tokens: int) -> None:
            self.meter.count(tokens=tokens, requests=0)
            if stage == "prefill":
                self.meter.stage("decode")

        prompts = [self._prompts[request.id] for request in group]
        return decode(self.model, group, prompts, to_text=self.encoder.decode, ends=self._ends, on_stage=on_stage)

    def _generation(self, one: Continuation) -> Response:
        read, wrote = len(one.prompt), len(one.token_ids)
        if one.invalid:
            return Response(request_id=one.request.id, context_token_count=read, invalid=_NOT_FINITE)
        return Response(
            request_id=one.request.id,
            text=cut_at_stop(self.encoder.decode(one.token_ids), one.request.until),
            token_ids=tuple(one.token_ids),
            token_count=wrote,
            context_token_count=read,
        )


def _answer(request: Request, readings: tuple[Reading, ...], verdicts: dict[Reading, Verdict | None]) -> Response:
    """The sum of a request's readings."""
    predicted = sum(len(reading.targets) for reading in readings)
    read = sum(len(reading.inputs) for reading in readings)
    found = [verdicts.get(reading) for reading in readings if reading.targets]
    total = math.fsum(verdict.loglikelihood for verdict in found if verdict)
    invalid = None
    if any(len(reading.targets) > len(reading.inputs) for reading in readings):
        invalid = f"the continuation of {predicted} tokens is longer than the model's window"
    elif None in found:
        invalid = _NO_MEMORY
    elif not math.isfinite(total):
        invalid = _NOT_FINITE
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


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or should_reduce_batch_size(error)
