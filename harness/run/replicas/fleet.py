"""The workers of a run: copies of its model, each an actor of Ray's, and who of them answers what."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.core import errors
from harness.core.checkpoints import Checkpoint
from harness.core.errors import HarnessError, ModelError
from harness.core.models import ModelOptions
from harness.core.process.progress import Progress
from harness.run.replicas.cluster import cluster_error, connected
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.replica import Opening, Replica, WorkerFacts, WorkerReply
from harness.run.replicas.room import refuse_strangers, threads_each, worker_needs

__all__ = ["TRIES", "Fleet", "Lost"]

_log = logging.getLogger(__name__)

TRIES = 3
"""So often a batch is given to a worker; one at which each of them dies is invalid."""
HOPELESS = 3
"""So many batches in a row at which each worker died say that it isn't the batches."""
PATIENCE_S = 300.0
"""How long no worker may be there at all, as when a cluster loses its last machine."""
GATHER_S = 120.0
"""How long workers are waited for when the last one has begun."""
AGAIN_S = 0.2
DEATHS = ("RayActorError", "ObjectLostError", "NodeDiedError", "WorkerCrashedError", "OutOfMemoryError")
"""What Ray says where a worker, its machine, or what it had answered is gone."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Stands for the reply to a batch at which `TRIES` workers died."""


class Fleet:
    """Workers that hold copies of one model. To be used as a context; the cluster is joined with the first thing asked.

    `device` is that of the run: it says whether a worker takes a GPU. `replica` is what each of them is.
    """

    def __init__(
        self, options: ReplicaOptions, device: str, progress: Progress, replica: type[Replica] = Replica
    ) -> None:
        assert options.workers is not None
        self._replica = replica
        self.count, self._options, self._device, self._progress = options.workers, options, device, progress
        self._stack = ExitStack()
        self._ray: Any = None
        self._free: deque[Any] = deque()
        self._busy: dict[Any, tuple[Any, int]] = {}
        self._away: dict[Any, Any] = {}
        self._last: dict[Any, int] = {}
        self._opening: Any = None
        self._opened_count = 0
        self._said: set[tuple[str, str]] = set()
        self._began_on: dict[str, str] = {}
        self.facts: list[WorkerFacts] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Workers end when nobody knows them any more, also in a cluster that goes on.
        self._free.clear()
        self._busy.clear()
        self._away.clear()
        self._last.clear()
        self._stack.close()
        self._ray = None

    def start(self) -> None:
        """Join the cluster and have the workers begin. Raises `HarnessError` for what can't be had, as `connected`."""
        if self._ray is not None:
            return
        self._progress.phase("starting the workers")
        options = self._options
        alone = threads_each(self.count, None, options.threads)
        self._ray = self._stack.enter_context(connected(options.ray_address, self.count * alone))
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        threads = alone if options.ray_address is None else threads_each(self.count, nodes, options.threads)
        needs = worker_needs(options, self._device, threads, nodes)
        actor = self._ray.remote(self._replica).options(max_restarts=-1, **needs)
        for made in [actor.remote(threads) for _ in range(self.count)]:
            self._await(made)
        self._gather()
        refuse_strangers(self.facts)
        self._began_on = {one.node_id: one.node for one in self.facts}

    @property
    def ray(self) -> Any:
        """Ray's library, connected."""
        return self._ray

    @property
    def node_names(self) -> Mapping[str, str]:
        """The machines that the workers began on: their names by Ray's ids of them."""
        return self._began_on

    def put(self, value: Any) -> Any:
        """A reference to a value that all workers see. Raises `ModelError` where the cluster has no room for it."""
        try:
            return self._ray.put(value)
        except Exception as error:
            raise cluster_error(error) from error

    def open(self, checkpoint: Checkpoint, options: ModelOptions) -> None:
        """Have every worker load the model. Raises what the first says that can't."""
        self._opened_count += 1
        self._opening = self.put(Opening(number=self._opened_count, checkpoint=checkpoint, options=options))
        for reply in self._all(lambda worker: worker.open.remote(self._opening)):
            self.heed(reply)

    def plan(self, phases: Sequence[Any]) -> WorkerReply:
        """The plan of the last of the phases: that of whoever is first, since all plan the same."""
        asked = {worker.plan.remote(self._opening, list(phases)): worker for worker in self._workers()}
        for _, reply in self._replies(asked):
            return self.heed(reply)
        raise self._gone()

    def changed(self) -> list[str]:
        """Files of the checkpoint that were written while workers read them."""
        replies = self._all(lambda worker: worker.changed.remote())
        return list(dict.fromkeys(name for reply in replies for name in self.heed(reply).changed))

    def now(self) -> list[WorkerFacts]:
        """The workers as they are, with the memory that each took."""
        asked = {worker.facts.remote(self._device): worker for worker in self._workers()}
        return [found for _, found in self._replies(asked)]

    def each(
        self, phases: Sequence[Any], batches: Sequence[tuple[int, Sequence[int]]]
    ) -> Iterator[tuple[int, WorkerReply | Lost]]:
        """The reply to each of the batches, by its number in the plan, as they come; `batches` are in order of size.

        Whoever is free gets what follows in the plan on its last batch, whose beginning it has read already, or else
        the largest that is left. The batch of a worker that dies is given to another, `TRIES` times in all.
        """
        left = dict(batches)
        tries: dict[int, int] = {}
        lost_in_a_row = 0
        sizes = dict(batches)
        self._recall()

        def give() -> None:
            while left and self._free:
                worker = self._free.popleft()
                after = self._last.get(worker, -2) + 1
                number = after if after in left else next(iter(left))
                self._last[worker] = number
                self._busy[worker.answer.remote(self._opening, list(phases), list(left.pop(number)))] = (worker, number)

        while left or self._busy:
            give()
            for done in self._wait([*self._busy, *self._away], patient=bool(self._busy)):
                if done in self._away:
                    self._returned(done)
                    continue
                worker, number = self._busy.pop(done)
                reply = self._reply_of(done, worker)
                give()
                if reply is not None:
                    lost_in_a_row = 0
                    yield number, self.heed(reply)
                    continue
                tries[number] = tries.get(number, 0) + 1
                _log.warning("a worker died at a batch of %d requests", len(sizes[number]))
                if tries[number] < TRIES:
                    left = {number: sizes[number], **left}
                    continue
                lost_in_a_row += 1
                if lost_in_a_row == HOPELESS:
                    raise self._gone()
                yield number, Lost()

    def heed(self, reply: WorkerReply) -> WorkerReply:
        """The reply, once what the worker logged is said here, once for all workers. Raises the error that it tells."""
        for one in reply.said:
            if (one.logger, one.text) not in self._said:
                self._said.add((one.logger, one.text))
                logging.getLogger(one.logger).log(one.level, "%s", one.text)
        if reply.failed is not None:
            kind = getattr(errors, reply.failed.kind, ModelError)
            if not (isinstance(kind, type) and issubclass(kind, HarnessError)) or kind is errors.UnknownName:
                kind = ModelError
            raise kind(reply.failed.problem, place=reply.failed.place, fix=reply.failed.fix)
        return reply

    def _workers(self) -> list[Any]:
        """Those that are there; waits for one where none is."""
        self._recall()
        while not self._free:
            for done in self._wait(list(self._away), patient=False):
                self._returned(done)
        return list(self._free)

    def _recall(self) -> None:
        """Those who are still at a batch that nobody waits for any more are free once they have done it."""
        for worker, _ in self._busy.values():
            self._await(worker)
        self._busy.clear()

    def _all(self, ask: Callable[[Any], Any]) -> list[WorkerReply]:
        return [reply for _, reply in self._replies({ask(worker): worker for worker in self._workers()})]

    def _replies(self, asked: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
        """What each worker that lives answers, as it comes."""
        while asked:
            for done in self._wait(list(asked), patient=True):
                worker = asked.pop(done)
                reply = self._reply_of(done, worker, is_free=True)
                if reply is not None:
                    yield worker, reply

    def _reply_of(self, done: Any, worker: Any, *, is_free: bool = False) -> Any:
        """What the worker says, after which it is free; None of one that died, which is awaited anew."""
        try:
            reply = self._ray.get(done)
        except tuple(getattr(self._ray.exceptions, name) for name in DEATHS) as error:
            _log.debug("%s", error)
            if is_free:
                self._free.remove(worker)
            self._await(worker)
            return None
        except Exception as error:
            _log.debug("%s", error)
            raise cluster_error(error) from error
        if not is_free:
            self._free.append(worker)
        return reply

    def _await(self, worker: Any) -> None:
        """It is free once it answers."""
        self._last.pop(worker, None)
        self._away[worker.facts.remote(self._device)] = worker

    def _returned(self, done: Any) -> None:
        worker = self._away.pop(done)
        try:
            facts = self._ray.get(done)
        except self._ray.exceptions.ActorUnavailableError:  # it is being made anew
            time.sleep(AGAIN_S)
            self._await(worker)
        except Exception as error:
            if not self._away and not self._free:
                raise cluster_error(error) from error
            _log.warning("a worker can't begin: %s", cluster_error(error).problem)
        else:
            known = {(one.node_id, one.process_id) for one in self.facts}
            if (facts.node_id, facts.process_id) not in known:
                self.facts.append(facts)
            self._free.append(worker)

    def _gather(self) -> None:
        """Wait for all workers, or, where a cluster has no room for all of them now, for those that have begun."""
        while self._away:
            ready, _ = self._ray.wait(list(self._away), num_returns=1, timeout=GATHER_S)
            if not ready and self._free:
                self._progress.note(
                    f"{len(self._free)} of {self.count} workers have begun; the others join when the cluster has room"
                )
                return
            if not ready:
                raise self._gone()
            for done in ready:
                self._returned(done)

    def _wait(self, asked: Sequence[Any], *, patient: bool) -> list[Any]:
        """Those that are done, at least one; where nobody is at work, no longer than `PATIENCE_S`."""
        done, _ = (
            self._ray.wait(list(asked), num_returns=1, timeout=None if patient else PATIENCE_S) if asked else ((), ())
        )
        if not done:
            raise self._gone()
        return list(done)

    def _gone(self) -> ModelError:
        return ModelError(
            "no worker is left that answers: each died, or its machine is gone",
            place="--workers",
            fix="The same command goes on where it stopped; without --workers it does so in one process",
        )
