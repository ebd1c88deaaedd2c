"""One checkpoint that is asked about more and more samples, each look a sealed record of what was asked by then."""

import logging
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.loading.loader import Loader
from harness.checkpoints.served.tokens import token_counters
from harness.core.errors import RecordError
from harness.core.meters import MEASURING, Meter
from harness.core.models import Model
from harness.core.process.logs import LogFile, logged_to
from harness.core.process.progress import Progress
from harness.core.requests import Request
from harness.decision.sequential.units import Order, Place
from harness.engine.kinds.resumed import ResumedModel
from harness.record import RunRecord, RunWriter
from harness.record.changes import SIDE_FILES
from harness.record.environment import describe_environment, peak_memory_bytes
from harness.record.files import write_whole
from harness.record.lock import RunLock
from harness.record.seal import ORDER, POLICY, SEAL
from harness.run.asking import answer_all
from harness.run.metering import measure_idle
from harness.run.pipeline import LOG, checkpoint_description, conclude, open_checkpoint, record_metrics
from harness.run.planning import Plan
from harness.run.replicas.sharing import computing_threads, fleet_of, meter_of, processors_of
from harness.run.sequential.needs import sample_cost
from harness.run.sequential.parts import part_of
from harness.run.work import TaskWork

__all__ = ["GrowingRun"]

_LOOKS = "looks"
_DESCRIBED = ("environment.json", "checkpoint.json", "engine.json")
"""What says how it was asked, written when the model is opened."""


@dataclass(frozen=True, kw_only=True)
class _Opened:
    model: Model
    meter: Meter


class GrowingRun:
    """The run of the `whole` plan, which may stay unfinished: its folder keeps every answer, as that of any run.

    `harness eval` with the same options goes on where it stands. Each `look` is a run with smaller limits, sealed in a
    folder of its own below it, until `keep` puts one of them beside the others. To be used as a context.

    What is `known` from a sealed run of the checkpoint isn't asked again; the run says in its environment whose answers
    it has.
    """

    def __init__(
        self, whole: Plan, output: Path, policy: bytes | None, progress: Progress, *, known: RunRecord | None = None
    ) -> None:
        self.whole, self.output, self.progress = whole, output, progress
        self._policy, self._known = policy, known
        self._work: dict[Place, TaskWork] = {}
        self._looks_so_far: list[dict[Place, frozenset[str]]] = []
        self._stack = ExitStack()
        self._asking = ExitStack()
        self._opened: _Opened | None = None
        self._taken: frozenset[str] = frozenset()
        self._asked_s = self._asked_cost = 0.0
        self._saving: dict[str, dict[str, int]] = {}

    def __enter__(self) -> "GrowingRun":
        self.writer = self._stack.enter_context(closing(RunWriter(self.output, self.whole.spec)))
        self._stack.enter_context(logged_to(LogFile(self.writer.folder / LOG), logging.DEBUG))
        if self._policy is not None:
            # Before the first answer, so that nobody can have written it in their light.
            write_whole(self.writer.folder / POLICY, self._policy)
        if self._known is not None:
            self._take(self._known)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.close()
        self._stack.close()

    @property
    def joules(self) -> float | None:
        """What was used so far; None where it isn't measured."""
        known = [window.energy_joules for window in self.writer.windows]
        return sum(one for one in known if one is not None) if any(one is not None for one in known) else None

    @property
    def asked_count(self) -> int:
        """How many requests were answered for it, now or before an interruption."""
        return len(self.writer.responses.keys() - self._taken)

    def _take(self, record: RunRecord) -> None:
        ids = {request.id for one in self.whole.work for each in one.requests for request in each}
        known = {name: answer for name, answer in record.answers.items() if name in ids}
        self._taken = frozenset(known)
        if self._is_described:
            return
        self.writer.append([answer for name, answer in known.items() if name not in self.writer.responses])
        began, *others = _DESCRIBED
        for name in others:
            write_whole(self.writer.folder / name, (record.folder / name).read_bytes())
        # Last: where it is there, all of it is.
        self.writer.write_json(began, {**record.environment, "answers_of": record.run_id})

    def cost_of(self, cost: float) -> tuple[float | None, float | None]:
        """Seconds and joules that samples of a cost (see `sample_cost`) will take, if it goes on as it went so far.

        None of what isn't known.
        """
        asking = [one for one in self.writer.windows if one.phase not in (*MEASURING, "load")]
        joules = [one.energy_joules for one in asking if one.energy_joules is not None]
        every = math.fsum(sample_cost(one) * sum(map(self._is_asked, one.asked)) for one in self._work.values())
        return (
            self._asked_s * cost / self._asked_cost if self._asked_cost else None,
            math.fsum(joules) * cost / every if joules and every else None,
        )

    def _is_asked(self, requests: Sequence[Request]) -> bool:
        return any(request.id not in self._taken for request in requests)

    def lacks(self, limits: Mapping[Place, int]) -> bool:
        """Whether anything has to be asked for a look at so many samples a task."""
        work = (one for one in self.whole.work if one.place in limits)
        parts = (part_of(one, limits[one.place], self.whole.spec.seed) for one in work)
        return not self._is_described or any(map(self._is_open, parts))

    def _is_open(self, work: TaskWork) -> bool:
        return any(request.id not in self.writer.responses for each in work.asked for request in each)

    @property
    def _is_described(self) -> bool:
        return all((self.writer.folder / name).exists() for name in _DESCRIBED)

    def look(self, limits: Mapping[Place, int]) -> RunRecord:
        """Ask what is still open of so many samples a task, and seal what there is by then."""
        fresh = [self._grown(place, limit) for place, limit in limits.items()]
        asked = [one for one in fresh if one.samples]
        if not self._is_described or any(map(self._is_open, asked)):
            opened, began = self._open(), time.monotonic()
            resumed = ResumedModel(opened.model, self.writer)
            answer_all(
                asked,
                resumed,
                self.writer,
                opened.meter,
                self.progress,
                self.whole.plugin_timeout_s,
                counters=token_counters(self.whole.checkpoint),
                saving=self._saving,
            )
            self._asked_s += time.monotonic() - began
            self._asked_cost += math.fsum(len(one.samples) * sample_cost(one) for one in asked)
        work = tuple(one for one in (self._work.get(place) for place in limits) if one is not None)
        ids = {place: frozenset(sample.id for sample in self._work[place].samples) for place in limits}
        self._looks_so_far.append(ids)
        spec = replace(self.whole.spec, tasks=tuple(one.spec for one in work))
        return self._sealed(replace(self.whole, work=work, spec=spec, skipped=()))

    @property
    def look_count(self) -> int:
        """How often it was looked."""
        return len(self._looks_so_far)

    @property
    def _order(self) -> Order:
        """Which samples came first. How many the data have altogether is known where all of them may be asked."""
        sizes = {
            one.place: len(one.samples)
            for one in self.whole.work
            if one.planned.task.data is not None and one.planned.settings.limit is None
        }
        prompts = {(task.suite, task.task): task.requests_sha256 for task in self.whole.spec.tasks}
        return Order(seed=self.whole.spec.seed, looks=self._looks_so_far, sizes=sizes, prompts=prompts)

    def rest(self) -> None:
        """Let the model go until it is asked again, so that another has the memory."""
        self._opened = None
        self._asking.close()

    def keep(self, look: RunRecord) -> RunRecord:
        """The look as a run among the others. One that is there already stays.

        Raises `RecordError` where that was changed since, and `RecordLockedError` where another process writes it.
        """
        target = self.output / look.run_id
        is_there = (target / SEAL).exists()
        if not is_there:
            self._put(look.folder, target)
        shutil.rmtree(self._looks, ignore_errors=True)
        kept = RunRecord(target)
        if is_there and (faults := kept.verify()):
            raise RecordError(
                f"isn't what was sealed there: {faults[0]}",
                place=target,
                fix="Move the folder away, and run the same command again: what was answered is kept",
            )
        return kept

    def _put(self, look: Path, target: Path) -> None:
        """The look in place of what an interrupted run of the same samples left there; the seal comes last."""
        if target != self.writer.folder:
            if target.exists():
                RunLock(target).release()  # unless another process has it
                shutil.rmtree(target)
            look.rename(target)
            return
        # All that the plan has was asked, so the look is the run itself.
        (look / SEAL).rename(self.writer.folder / f"{_LOOKS}.seal")
        for path in look.iterdir():
            if path.name not in SIDE_FILES:
                there = target / path.name
                shutil.rmtree(there) if there.is_dir() else there.unlink(missing_ok=True)
                path.rename(there)
        (target / f"{_LOOKS}.seal").rename(target / SEAL)

    @property
    def _looks(self) -> Path:
        return self.writer.folder / _LOOKS

    def _grown(self, place: Place, limit: int) -> TaskWork:
        """The task with so many samples from now on; given are those that are new and have to be asked about."""
        before = self._work.get(place)
        whole = next(one for one in self.whole.work if one.place == place)
        now = part_of(whole, limit, self.whole.spec.seed)
        old = {sample.id for sample in before.samples} if before else set()
        self._work[place] = now
        new = [
            number
            for number, sample in enumerate(now.samples)
            if sample.id not in old and self._is_asked(now.requests[number])
        ]
        return replace(
            now,
            samples=tuple(now.samples[number] for number in new),
            requests=tuple(now.requests[number] for number in new),
        )

    def _open(self) -> _Opened:
        if self._opened is None:
            plan, progress = self.whole, self.progress
            fleet = self._asking.enter_context(fleet_of(plan, progress))
            self._asking.enter_context(computing_threads(plan))
            if not (self.writer.folder / "environment.json").exists():
                # When it began, however often it was interrupted.
                self.writer.write_json("environment.json", describe_environment(processors_of(plan, fleet)))
            self.writer.write_json("checkpoint.json", checkpoint_description(plan.checkpoint))
            meter = self._asking.enter_context(meter_of(plan, fleet, self.writer.append_window, progress))
            measure_idle(meter, progress)
            self._opened = _Opened(model=open_checkpoint(plan, meter, progress, Loader(), fleet), meter=meter)
        return self._opened

    def _sealed(self, part: Plan) -> RunRecord:
        shutil.rmtree(self._looks, ignore_errors=True)
        record = RunRecord(self.writer.folder)
        with closing(RunWriter(self._looks, part.spec)) as writer:
            peak = peak_memory_bytes() if part.spec.device != SERVED else None
            writer.write_json("environment.json", {**record.environment, "peak_memory_bytes": peak})
            writer.write_json("checkpoint.json", record.checkpoint)
            write_whole(writer.folder / "engine.json", (self.writer.folder / "engine.json").read_bytes())
            if self._policy is not None:
                write_whole(writer.folder / POLICY, self._policy)
            writer.write_json(ORDER, self._order.to_json())
            ids = {request.id for one in part.work for each in one.asked for request in each}
            writer.append([answer for name, answer in self.writer.responses.items() if name in ids])
            for window in self.writer.windows:
                writer.append_window(window)
            record_metrics(part, writer)
            return conclude(part, part.work, writer)
