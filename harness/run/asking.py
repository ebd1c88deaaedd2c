"""Asks a model all that the tasks of a run want to know, then what they want to know in the light of its answers."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.checkpoints.served.tokens import TokenCounters
from harness.core.meters import Meter
from harness.core.models import Batch, Model, answered
from harness.core.process.heap import give_back
from harness.core.process.isolation import STEP_TIMEOUT_S
from harness.core.process.progress import Progress
from harness.core.requests import Response
from harness.record import RunWriter
from harness.record.opening import formed, is_there, json_object
from harness.run.outlook.live import Outlook
from harness.run.work import Phase, TaskWork, phases, with_follow_ups

__all__ = ["answer_all", "known_rounds"]

_SAVING = "engine.json"
_PLANNED = ("asked_token_count", "computed_token_count")

_log = logging.getLogger(__name__)


def known_rounds(
    work: Sequence[TaskWork], responses: Mapping[str, Response], step_timeout_s: float = STEP_TIMEOUT_S
) -> tuple[tuple[TaskWork, ...], int, int]:
    """The work as far as the responses go, how many requests that is, and how many of these have none yet."""
    rounds: list[Phase] = []
    current = tuple(work)
    while True:
        new = phases(current, but_for=rounds)
        rounds += new
        left = sum(request.id not in responses for phase in new for request in phase.requests)
        if left or not new:
            return current, sum(len(phase.requests) for phase in rounds), left
        current = with_follow_ups(current, responses, step_timeout_s)


def answer_all(
    work: Sequence[TaskWork],
    model: Model,
    writer: RunWriter,
    meter: Meter,
    progress: Progress,
    step_timeout_s: float = STEP_TIMEOUT_S,
    *,
    outlook: Outlook | None = None,
    counters: TokenCounters | None = None,
    saving: dict[str, dict[str, int]] | None = None,
) -> tuple[TaskWork, ...]:
    """Have every request answered, round by round, until no task asks more; the work with all that was asked.

    `model` puts its answers into the record of `writer`. What a round asks hangs on the answers to the rounds before
    it alone, so an interrupted run asks the same again, in the same batches. An `outlook` says how long that takes, and
    may have some batches of the first round answered ahead of their turn. `counters` are those of a server, whose plan
    has no tokens: what they count is added up over all processes of the run. `saving` has the counts of what this
    process asked before for the same run, and goes on with them.
    """
    done: list[Phase] = []
    saving = _counts_so_far({} if saving is None else saving, counters, writer)
    current = tuple(work)

    def is_open(batch: Batch) -> bool:
        return any(request.id not in writer.responses for request in batch.requests)

    while new := phases(current, but_for=done):
        done += new
        progress.begin(sum(len(phase.requests) for phase in done))
        planned = {phase.name: model.plan(phase.requests) for phase in new}
        _count(planned, saving)
        writer.write_json(_SAVING, saving)
        if outlook is not None:
            outlook.expect({name: list(filter(is_open, batches)) for name, batches in planned.items()})
            _try(model, outlook, meter, progress)
        for name, batches in planned.items():
            progress.phase(name)
            _log.debug("%s: %d batches", name, len(batches))
            with _counted(saving, name, counters, writer), meter.phase(name):
                left = {id(batch) for batch in batches if is_open(batch)} if outlook else ()
                if outlook is not None:
                    outlook.begin()
                for batch, answers in answered(model, batches):
                    if outlook is not None and id(batch) in left:
                        outlook.done(name, batch)
                    progress.advance(len(answers))
                    explained = [one.attribution for one in answers if one.attribution is not None]
                    for key in _PLANNED:
                        # What an explanation asks is known by its answer alone.
                        saving[name][key] += sum(getattr(one, key) for one in explained)
            give_back()
        writer.write_json(_SAVING, saving)
        current = with_follow_ups(current, writer.responses, step_timeout_s)
    return current


def _counts_so_far(
    saving: dict[str, dict[str, int]], counters: TokenCounters | None, writer: RunWriter
) -> dict[str, dict[str, int]]:
    """The counts to go on with: those of a server also from before an interruption, as nothing is planned again."""
    if counters is not None and is_there(path := writer.folder / _SAVING):
        with formed(path, "the counts of tokens"):
            for name, one in json_object(path).items():
                saving[name] = {key: int(count) for key, count in one.items()}
    return saving


def _count(planned: Mapping[str, Sequence[Batch]], saving: dict[str, dict[str, int]]) -> None:
    """Add the tokens of the batches to those of their phases."""
    for name, batches in planned.items():
        tokens = saving.setdefault(name, dict.fromkeys(_PLANNED, 0))
        for key in _PLANNED:
            tokens[key] += sum(getattr(batch, key) for batch in batches)


@contextmanager
def _counted(
    saving: dict[str, dict[str, int]], name: str, counters: TokenCounters | None, writer: RunWriter
) -> Iterator[None]:
    """Add to a phase what a server counts while the block runs, and how many requests it answers meanwhile.

    Nothing where it stops to tell, or begins to count anew.
    """
    before, answered_before = counters.read() if counters else {}, len(writer.responses)
    try:
        yield
    finally:
        after = counters.read() if counters and before else {}
        steps = {key: after[key] - count for key, count in before.items() if key in after}
        if steps and min(steps.values()) >= 0:
            steps["counted_request_count"] = len(writer.responses) - answered_before
            saving[name] |= {key: saving[name].get(key, 0) + step for key, step in steps.items()}
            writer.write_json(_SAVING, saving)


def _try(model: Model, outlook: Outlook, meter: Meter, progress: Progress) -> None:
    """Answer the batches that the outlook goes by; what keeps answers has them when it is their turn."""
    for name, batch in outlook.trials():
        progress.phase("first batches, to tell how long it takes")
        with meter.phase(name):
            outlook.begin()
            for _ in answered(model, [batch]):
                outlook.done(name, batch)
