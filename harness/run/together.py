"""Evaluates in one process, or as one of those that torchrun started to compute one model together."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from harness.core.errors import InputError
from harness.core.process.progress import Progress
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate_each

__all__ = ["evaluate_together", "is_follower", "refuse_loose_processes"]


def is_follower(options: EvalOptions) -> bool:
    """Whether this process leaves the evaluation, and all that is printed and written, to another."""
    return options.tensor_parallel > 1 and os.environ.get("RANK", "0") != "0"


def evaluate_together(
    models: Sequence[str], options: EvalOptions, progress: Progress, **chosen: Any
) -> Iterator[RunRecord]:
    """As `evaluate_each`, whose suites and tasks are `chosen`; a process that follows computes, and gives no record.

    Raises `InputError` for processes that torchrun didn't start as they are asked for.
    """
    if options.tensor_parallel == 1:
        refuse_loose_processes()
        yield from evaluate_each(models, options=options, progress=progress, **chosen)
        return
    # Imported late: torch takes seconds.
    from harness.engine.parallel.crew import crew

    if options.replicas.workers is not None:
        raise InputError(
            "workers hold whole copies of a model",
            place=f"--tensor-parallel {options.tensor_parallel}",
            fix="Leave one of it and --workers out; --device-map goes with --workers",
        )
    with crew(options.tensor_parallel) as mine:
        if mine.leads:
            yield from evaluate_each(models, options=options, progress=progress, **chosen)
        else:
            from harness.engine.opening import follow_leader

            follow_leader(mine)


def refuse_loose_processes() -> None:
    """Refuse processes of torchrun that would each do the whole work. Raises `InputError`."""
    if "TORCHELASTIC_RUN_ID" in os.environ and (count := os.environ.get("WORLD_SIZE", "1")) != "1":
        raise InputError(
            f"started {count} processes of the same evaluation",
            place="torchrun",
            fix=f"Add --tensor-parallel {count} to have them compute one model together",
        )
