"""The whole of an evaluation on one page: resolve, select, prepare, answer, score, seal."""

import logging
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Literal

from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.loading.loader import Loader
from harness.checkpoints.served.tokens import token_counters
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, HarnessError, InputError, RecordError
from harness.core.headlines import headline_estimates
from harness.core.meters import REPEATS, Meter
from harness.core.models import Model
from harness.core.options import checked_text, checked_texts
from harness.core.process.heap import uncollected
from harness.core.process.logs import LogFile, logged_to
from harness.core.process.network import offline_if
from harness.core.process.paths import public_name, without_home
from harness.core.process.progress import Progress, Quiet
from harness.core.tasks import Results
from harness.core.text.counts import numbered
from harness.core.text.reasons import wording
from harness.engine.kinds.resumed import ResumedModel
from harness.record import RunRecord, RunWriter
from harness.record.environment import (
    describe_environment,
    forget_peak_memory,
)
from harness.record.files import writing
from harness.record.media import media_in
from harness.record.metrics import METRICS, metric_rows
from harness.record.seal import SEAL
from harness.record.tables import attributions_of, response_row, score_row
from harness.run.asking import answer_all, known_rounds
from harness.run.checkpoint_watch import changed_files
from harness.run.judgement import absent_estimates, aggregate_estimates, derive_estimates, judge_task, run_signature
from harness.run.memory_limit import memory_limit
from harness.run.metering import measure_idle, repeat, repeated_requests, warm_up, windows_of
from harness.run.options import EvalOptions, given_options
from harness.run.outlook.live import Outlook
from harness.run.planning import Plan, plan
from harness.run.reopening import model_options
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.model import RayModel
from harness.run.replicas.sharing import computing_threads, fleet_of, meter_of, peak_bytes, processors_of
from harness.run.work import TaskWork, phases
from harness.store import NO_STORE, add_or_say, locate
from harness.suitefiles.selection import tell_default

__all__ = [
    "checkpoint_description",
    "conclude",
    "evaluate",
    "evaluate_each",
    "open_checkpoint",
    "record_metrics",
    "run",
]

_log = logging.getLogger(__name__)

LOG = "run.log"


def evaluate(
    model: str,
    *,
    suite: str | Sequence[str] = (),
    task: str | Sequence[str] = (),
    limit: int | Literal["all"] | None = None,
    options: EvalOptions | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Evaluate a checkpoint and return its sealed record.

    `model` is a folder, a `.gguf` file, a hub id or a built-in name; `suite` and `task` name what to run, the suite
    `full` if neither is given; `limit` says how many samples a task, each task's own number if not given (it wins over
    that of `options`). The same call goes on where an interrupted one stopped, and returns at once where
    one has finished. Raises `HarnessError`.
    """
    options, progress = given_options(options), progress or Quiet()
    if limit is not None:
        options = replace(options, limit=limit)
    return next(
        evaluate_each([checked_text("model", model)], suite=suite, task=task, options=options, progress=progress)
    )


def evaluate_each(
    models: Sequence[str],
    *,
    suite: str | Sequence[str] = (),
    task: str | Sequence[str] = (),
    options: EvalOptions | None = None,
    progress: Progress | None = None,
) -> Iterator[RunRecord]:
    """Evaluate several checkpoints in turn, each into a record of its own, given as soon as it is sealed.

    All are resolved before the first is loaded, so that a bad one is found at once; adapters over the same base that
    follow each other share it in memory, and so do workers. Otherwise as `evaluate`.
    """
    options, progress, loader = given_options(options), progress or Quiet(), Loader()
    suite, task = checked_texts("suite", suite), checked_texts("task", task)
    if options.step is not None and len(models) > 1:
        raise InputError(
            f"is the step of one checkpoint, and {len(models)} were given",
            place=f"--step {options.step}",
            fix="Evaluate them one by one, or leave it to their trainer_state.json",
        )
    if options.store != NO_STORE:
        locate(options.store, options.output)  # A mistyped store must not cost an evaluation.
    named = (*models, options.reference, options.toxicity_model, options.bertscore_model)
    with offline_if(options.offline, *named):
        planned_runs = [plan(model, suite=suite, task=task, options=options) for model in models]
    tell_default(suite, task, progress)
    fleet: Fleet | None = None
    with ExitStack() as workers:
        for planned in planned_runs:
            finished = _finished(options.output / planned.spec.run_id)
            if finished is not None:
                progress.note(f"this run is finished already: {finished.folder}")
                for failure in finished.failures:
                    progress.note(f"{failure}. To try it again, delete the folder and run again")
                if str(planned.spec.training) not in ("", str(finished.spec.training)):
                    before = str(finished.spec.training) or "of no training"
                    progress.note(f"it is sealed as {before}, and stays so, whatever is said of it now")
                add_or_say(options.store, finished.folder, progress.note)
                yield finished
                continue
            with (
                closing(RunWriter(options.output, planned.spec)) as writer,
                logged_to(LogFile(writer.folder / LOG), logging.DEBUG),
                memory_limit(options.max_memory_bytes),
                offline_if(options.offline, *named),
            ):
                fleet = fleet or workers.enter_context(fleet_of(planned, progress))
                record = run(planned, writer, progress, loader, fleet)
            add_or_say(options.store, record.folder, progress.note)
            yield record


def _finished(folder: Path) -> RunRecord | None:
    """The sealed run in the folder, if there is one. Raises `RecordError` if it was changed after its seal."""
    with writing(folder):
        if not (folder / SEAL).exists():
            return None
    record = RunRecord(folder)
    if changed := record.verify():
        raise RecordError("; ".join(changed), place=folder, fix="Delete the folder, and run again")
    return record


def run(
    plan: Plan, writer: RunWriter, progress: Progress, loader: Loader | None = None, fleet: Fleet | None = None
) -> RunRecord:
    """Answer every request that is still open, score everything, and seal the record.

    A `loader` that is kept from run to run shares the base of adapters among them, a `fleet` the workers, who answer in
    place of this process.
    """
    loader = loader or Loader()
    record_metrics(plan, writer)
    work, known, left = known_rounds(plan.work, writer.responses, plan.plugin_timeout_s)
    progress.begin(known)
    if writer.dropped_bytes:
        progress.note(f"dropped a half-written response of {writer.dropped_bytes} bytes that an earlier process left")
    if writer.responses:
        progress.note(f"going on where an earlier process stopped: {numbered(left, 'request')} to go")
    again = repeated_requests(plan.work, plan.selection.suites) if plan.spec.meter != "none" else []
    if left or (again and not any(window.phase == REPEATS for window in writer.windows)):
        environment = describe_environment(processors_of(plan, fleet))
        environment |= plan.spread.described
        writer.write_json("environment.json", environment)
        writer.write_json("checkpoint.json", checkpoint_description(plan.checkpoint))
        forget_peak_memory()
        with computing_threads(plan), meter_of(plan, fleet, writer.append_window, progress) as meter:
            measure_idle(meter, progress)
            fresh = open_checkpoint(plan, meter, progress, loader, fleet)
            if again:
                warm_up(fresh, again, meter)
            resumed = ResumedModel(fresh, writer)
            outlook = Outlook(progress, tries=fleet is None and plan.spec.device != SERVED)
            counters = token_counters(plan.checkpoint)
            timeout_s = plan.plugin_timeout_s
            work = answer_all(
                plan.work, resumed, writer, meter, progress, timeout_s, outlook=outlook, counters=counters
            )
            repeat(fresh, again, meter, lambda: windows_of(again, phases(plan.work), writer.windows), progress)
        peak = peak_bytes(fleet) if plan.spec.device != SERVED else None
        writer.write_json("environment.json", {**environment, "peak_memory_bytes": peak})
        _refuse_edited(plan, writer, loader, fleet)
    with _keeping(writer):
        return conclude(plan, work, writer)


@contextmanager
def _keeping(writer: RunWriter) -> Iterator[None]:
    """Says in one line, of whatever goes wrong once all is answered, that the answers are kept, and how to go on."""
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        _log.debug("%s", traceback.format_exc())
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise RecordError(
            f"all answers are complete and kept, but scoring them failed ({said})",
            place=writer.folder,
            fix=f"Run the same command again, which asks nothing again; if it fails again, report what "
            f"{writer.folder / LOG} says at its end",
        ) from error


def _refuse_edited(plan: Plan, writer: RunWriter, loader: Loader, fleet: Fleet | None) -> None:
    """Raises `CheckpointError` if the checkpoint isn't any more what the run is named after; its answers are put by."""
    changed = fleet.changed() if fleet else changed_files(plan.checkpoint, loader.mapped)
    place = plan.checkpoint
    if not changed and plan.reference is not None and fleet is None:
        changed, place = changed_files(plan.reference, loader.reference_mapped), plan.reference
    if changed:
        kept = writer.set_aside()
        raise CheckpointError(
            f"{', '.join(changed)} changed while the run was going on, so its answers may be of either; the run is not "
            f"sealed, and they are kept in {kept}",
            place=place.adapter or place.path,
            fix="Don't change a checkpoint while it is evaluated, and run again: that starts over",
        )


def open_checkpoint(plan: Plan, meter: Meter, progress: Progress, loader: Loader, fleet: Fleet | None = None) -> Model:
    """The checkpoint as a model: in this process, or in those of the workers."""
    progress.phase("loading the checkpoint")
    options = model_options(
        plan.spec, trust_remote_code=plan.trust_remote_code, reference=plan.reference, spread=plan.spread
    )
    if fleet is not None:
        with meter.phase("load"):
            return RayModel(fleet, plan.checkpoint, options, meter)
    # Imported late: whoever asks for a finished run must not wait for transformers.
    with uncollected():
        from harness.engine.opening import open_model

    with meter.phase("load"):
        return open_model(plan.checkpoint, options, meter=meter, loader=loader)


def record_metrics(plan: Plan, writer: RunWriter) -> None:
    """Write down which metrics the run has."""
    planned = [*(one.planned for one in plan.work), *(one.planned for one in plan.skipped)]
    writer.write_json(METRICS, metric_rows({(one.suite, one.task.name): one.task.metrics for one in planned}))


def conclude(plan: Plan, work: Sequence[TaskWork], writer: RunWriter) -> RunRecord:
    """Score what was answered, every request of `work`, and seal the record."""
    timeout_s = plan.plugin_timeout_s
    judged = [judge_task(one, writer.responses, plan.spec, step_timeout_s=timeout_s) for one in work]
    record_metrics(plan, writer)  # again: a task of lm-eval's may come up with further ones while it scores
    scores = {(one.planned.suite, one.planned.task.name): scored for one, (scored, _) in zip(work, judged, strict=True)}
    estimates = [estimate for _, found in judged for estimate in found]
    estimates += absent_estimates(plan.skipped, plan.spec)
    estimates += aggregate_estimates(plan.selection, estimates, plan.spec)
    results = Results(
        scores=scores,
        estimates=estimates,
        windows=writer.windows,
        signature=run_signature(plan.spec),
        request_counts={(one.planned.suite, one.planned.task.name): sum(map(len, one.asked)) for one in work},
    )
    derived = [
        estimate
        for suite in plan.selection.suites
        for estimate in derive_estimates(suite, results, step_timeout_s=timeout_s)
    ]
    answered = [
        (
            one.planned.task.variant(sample, position),
            (one.planned.suite, one.planned.task.name, sample.id, position, request, writer.responses[request.id]),
        )
        for one in work
        for sample, requests in zip(one.samples, one.asked, strict=True)
        for position, request in enumerate(requests)
    ]
    return writer.seal(
        responses=[response_row(*one, variant=variant) for variant, one in answered],
        attributions=[row for _, one in answered for row in attributions_of(*one)],
        scores=[score_row(suite, task, score) for (suite, task), scored in scores.items() for score in scored],
        estimates=[*estimates, *headline_estimates(plan.selection.suites, estimates, results.signature)],
        measurements=[*derived, *headline_estimates(plan.selection.suites, derived, results.signature)],
        media=(medium for _, (*_, request, _) in answered for medium in media_in(request)),
    )


def checkpoint_description(checkpoint: Checkpoint) -> dict[str, object]:
    """What a record says of a checkpoint: nothing of where it lies on this machine."""
    fields = asdict(checkpoint)
    for name in ("path", "config", "adapter", "stamps"):
        del fields[name]
    told = {"ref": public_name(checkpoint.ref), "origin": _without_place(checkpoint.origin, checkpoint)}
    notes = [_without_place(note, checkpoint) for note in checkpoint.notes]
    said = wording(**{str(number): note for number, note in enumerate(checkpoint.notes)})
    return {**fields, **told, "notes": notes, "wording": said}


def _without_place(text: str, checkpoint: Checkpoint) -> str:
    """A text for people, with the checkpoint's name where its place on this machine stands."""
    for place in filter(None, (checkpoint.path.resolve(), checkpoint.adapter and checkpoint.adapter.resolve())):
        text = text.replace(str(place), public_name(str(place)))
    return without_home(text)
