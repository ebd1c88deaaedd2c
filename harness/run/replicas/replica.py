"""What runs in a worker's process: one copy of the model, which plans as every other and answers the batches given."""

import logging
import os
import platform
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from typing_extensions import override

from harness.checkpoints.loading.loader import Loader
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, HarnessError
from harness.core.meters import NullMeter
from harness.core.models import Batch, Model, ModelOptions
from harness.core.process.heap import uncollected
from harness.core.process.logs import logged_to
from harness.core.requests import Request, Response
from harness.record.environment import package_versions, peak_memory_bytes
from harness.run.checkpoint_watch import changed_files, missing_files

__all__ = ["Failed", "Opening", "Outline", "Replica", "Said", "WorkerFacts", "WorkerReply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """A worker: where it runs, on what, and with which versions."""

    node: str
    node_id: str
    versions: Mapping[str, str]
    machine: str
    process_id: int
    threads: int
    device: Mapping[str, object]
    peak_memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a worker opens the model: the same as one process would, but for the threads."""

    number: int
    checkpoint: Checkpoint
    options: ModelOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A batch of a plan: the indices of its requests among those that were planned, and what it takes."""

    indices: tuple[int, ...]
    asked_token_count: int
    computed_token_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of a worker's log."""

    logger: str
    level: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An error that a user can act on, as a worker tells it: errors themselves don't travel whole."""

    kind: str
    problem: str
    place: str | None
    fix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReply:
    """What a worker gives back: an answer, or why there is none, and what was logged and counted meanwhile.

    `work` holds, for each stage, the tokens and the requests of it.
    """

    node_id: str
    outlines: tuple[Outline, ...] = ()
    responses: tuple[Response, ...] = ()
    changed: tuple[str, ...] = ()
    failed: Failed | None = None
    said: tuple[Said, ...] = ()
    work: Mapping[str, tuple[int, int]] = field(default_factory=dict)


_Name = tuple[str, ...]
_Planned = tuple[tuple[Request, ...], Mapping[_Name, Batch]]
"""What was planned, and the batches by the ids of their requests, in their order."""


def _name(requests: Sequence[Request]) -> _Name:
    return tuple(request.id for request in requests)


class _Tally(NullMeter):
    """Counts the work of each stage; the energy is measured once for all workers of a node."""

    def __init__(self) -> None:
        self.work: dict[str, tuple[int, int]] = {}
        self._stage = ""

    @override
    def stage(self, name: str) -> None:
        self._stage = name

    @override
    def count(self, *, tokens: int, requests: int) -> None:
        before = self.work.get(self._stage, (0, 0))
        self.work[self._stage] = (before[0] + tokens, before[1] + requests)

    def taken(self) -> dict[str, tuple[int, int]]:
        """What was counted since the last time."""
        work, self.work = self.work, {}
        return work


class _Kept(logging.Handler):
    """Keeps what is logged, to be told where the run is."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[Said] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(Said(logger=record.name, level=record.levelno, text=record.getMessage()))


class Replica:
    """One copy of the model, an actor of Ray's, that computes with so many `threads`.

    What it answers is a function of what it is given, so that one that began anew in place of another answers as that
    would have.
    """

    def __init__(self, threads: int) -> None:
        # Nothing is fetched here: the checkpoint was, where the run is.
        os.environ.update({"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(threads)})
        import torch

        torch.set_num_threads(threads)
        self._begin(threads)

    def _begin(self, threads: int) -> None:
        ray: Any = import_module("ray")
        self._threads, self._fetch = threads, ray.get
        self._node_id: str = ray.get_runtime_context().get_node_id()
        self._loader, self._tally = Loader(), _Tally()
        self._opening: Opening | None = None
        self._model: Model | None = None
        self._plans: list[_Planned] = []

    def facts(self, device: str) -> WorkerFacts:
        """Where it runs; `device` is that of the run."""
        from harness.engine.devices import describe_device, resolve_device

        try:
            described = describe_device(resolve_device(device))
        except HarnessError as error:
            described = {"device": None, "lack": str(error)}
        return WorkerFacts(
            node=socket.gethostname(),
            node_id=self._node_id,
            versions=package_versions(),
            machine=platform.machine(),
            process_id=os.getpid(),
            threads=self._threads,
            device=described,
            peak_memory_bytes=peak_memory_bytes(),
        )

    def open(self, opening: Opening) -> WorkerReply:
        """Load the model, where it isn't the one that is open."""

        def opened() -> dict[str, Any]:
            self._opened(opening)
            return {}

        return self._told(opened)

    def plan(self, opening: Opening, phases: Sequence[Any]) -> WorkerReply:
        """The batches of the last of the phases, each of which is a reference to references to its requests."""

        def planned() -> dict[str, Any]:
            requests, batches = self._planned(opening, phases)
            places = {request.id: index for index, request in enumerate(requests)}
            return {
                "outlines": tuple(
                    Outline(
                        indices=tuple(places[request.id] for request in batch.requests),
                        asked_token_count=batch.asked_token_count,
                        computed_token_count=batch.computed_token_count,
                    )
                    for batch in batches.values()
                )
            }

        return self._told(planned)

    def answer(self, opening: Opening, phases: Sequence[Any], indices: Sequence[int]) -> WorkerReply:
        """The responses to a batch of the last of the phases, which `indices` says."""

        def answered() -> dict[str, Any]:
            requests, batches = self._planned(opening, phases)
            wanted = [requests[index] for index in indices]
            model = self._opened(opening)
            found = batches.get(_name(wanted))
            # A machine of another kind may cut batches otherwise: then the answers are the same but for rounding.
            parts = [found] if found is not None else model.plan(wanted)
            return {"responses": tuple(response for part in parts for response in model.answer(part))}

        return self._told(answered)

    def changed(self) -> WorkerReply:
        """Which of the checkpoint's files, and of its reference's, are no longer what they were when they were read."""

        def watched() -> dict[str, Any]:
            if self._opening is None:
                return {}
            reference = self._opening.options.reference
            found = changed_files(self._opening.checkpoint, self._loader.mapped)
            if reference is not None:
                found += changed_files(reference, self._loader.reference_mapped)
            return {"changed": tuple(found)}

        return self._told(watched)

    def _opened(self, opening: Opening) -> Model:
        if self._model is None or self._opening is None or self._opening.number != opening.number:
            self._model, self._plans, self._opening = None, [], opening
            self._model = self._load(opening)
        return self._model

    def _load(self, opening: Opening) -> Model:
        for checkpoint in filter(None, (opening.checkpoint, opening.options.reference)):
            self._require(checkpoint)
        with uncollected():
            from harness.engine.opening import open_model

        return open_model(opening.checkpoint, opening.options, meter=self._tally, loader=self._loader)

    def _require(self, checkpoint: Checkpoint) -> None:
        if missing := missing_files(checkpoint):
            raise CheckpointError(
                f"the machine {socket.gethostname()} doesn't see {missing[0]}",
                place=checkpoint.adapter or checkpoint.path,
                fix="Put the checkpoint where all machines of the cluster see it under one path",
            )

    def _planned(self, opening: Opening, phases: Sequence[Any]) -> _Planned:
        """All phases are planned, in their order, as one process does that answers them one after another."""
        model = self._opened(opening)
        while len(self._plans) < len(phases):
            parts = self._fetch(phases[len(self._plans)])
            requests = tuple(request for part in parts for request in self._fetch(part))
            self._plans.append((requests, {_name(batch.requests): batch for batch in model.plan(requests)}))
        return self._plans[len(phases) - 1]

    def _told(self, step: Callable[[], dict[str, Any]]) -> WorkerReply:
        kept, failed = _Kept(), None
        found: dict[str, Any] = {}
        with logged_to(kept, logging.DEBUG):
            try:
                found = step()
            except HarnessError as error:
                failed = Failed(kind=type(error).__name__, problem=error.problem, place=error.place, fix=error.fix)
        told = WorkerReply(node_id=self._node_id, failed=failed, said=tuple(kept.said), work=self._tally.taken())
        return replace(told, **found)
