"""A model whose batches are answered by copies of it elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.meters import Meter
from harness.core.models import Batch, ModelOptions, ParallelModel
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.text.reasons import Reason
from harness.run.replicas.fleet import TRIES, Fleet, Lost
from harness.run.replicas.replica import WorkerReply
from harness.run.summed_meter import SummedMeter

__all__ = ["RayModel"]

PART = 1000
"""Requests that are sent at once, so that it takes no more memory here to send many."""
WRITTEN_TOKEN = 10
"""A token that is written takes about so many times as long as one that is read."""
_DIED = Reason("the worker died at it, each of {tries} times that it was asked", tries=TRIES)


@dataclass(frozen=True, slots=True)
class _Place:
    """Which batch of which plan, counted from 1, and the indices of its requests there."""

    plan: int
    number: int
    indices: tuple[int, ...]


class RayModel(ParallelModel):
    """Wraps the loading of another model, and that model, which every worker of the `fleet` loads for itself.

    All workers make the same plan, of the same requests, as one process would; a batch is told by its place in it. So
    the answers don't hang on how many workers there are, who answers what, or who dies meanwhile.
    """

    def __init__(self, fleet: Fleet, checkpoint: Checkpoint, options: ModelOptions, meter: Meter) -> None:
        self._fleet, self._meter = fleet, meter
        self._plans: list[Any] = []
        fleet.open(checkpoint, options)

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        if not requests:
            return []
        parts = [self._fleet.put(tuple(requests[start : start + PART])) for start in range(0, len(requests), PART)]
        self._plans.append(self._fleet.put(parts))
        return [
            Batch(
                tuple(requests[index] for index in one.indices),
                _Place(len(self._plans), number, one.indices),
                one.asked_token_count,
                one.computed_token_count,
            )
            for number, one in enumerate(self._fleet.plan(self._plans).outlines)
        ]

    @override
    def answer_each(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, Sequence[Response]]]:
        for plan in dict.fromkeys(batch.work.plan for batch in batches):
            planned: Mapping[int, Batch] = {one.work.number: one for one in batches if one.work.plan == plan}
            largest_first = sorted(planned.values(), key=lambda one: (-_size(one), one.work.number))
            asked = [(one.work.number, one.work.indices) for one in largest_first]
            for number, reply in self._fleet.each(self._plans[:plan], asked):
                yield planned[number], self._answers(planned[number], reply)

    def _answers(self, batch: Batch, reply: WorkerReply | Lost) -> Sequence[Response]:
        if isinstance(reply, Lost):
            return [Response(request_id=request.id, invalid=_DIED) for request in batch.requests]
        if reply.node_id not in self._fleet.node_names and isinstance(self._meter, SummedMeter):
            self._meter.miss(Reason("work was done on a machine that joined later, and has no meter"))
        for stage, (tokens, requests) in reply.work.items():
            self._meter.stage(stage)
            self._meter.count(tokens=tokens, requests=requests)
        return reply.responses


def _size(batch: Batch) -> int:
    written = sum(request.max_tokens for request in batch.requests if isinstance(request, GenerateUntil))
    return batch.computed_token_count + WRITTEN_TOKEN * written
