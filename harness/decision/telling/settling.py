"""The command that would settle a rule that is open."""

import math
import shlex
from collections.abc import Sequence

from harness.core import registry
from harness.core.errors import HarnessError
from harness.core.text.reasons import Reason
from harness.data import find
from harness.decision.contrasts import contrasted_parts
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.record.spec import TaskSpec

__all__ = ["command_of", "settled_by"]

_MOST = 1000
"""Times as many samples that nobody will ask."""


def settled_by(run: Scored, key: Key, n: int, n_needed: int | None, *, against: bool) -> Reason | None:
    """How many questions would settle what `n` did not, and the command that asks them.

    A rule that is `against` a baseline needs them of both runs. None where that isn't known.
    """
    if not n or n_needed is None or n_needed <= n:
        return None
    if n_needed > n * _MOST:
        return Reason("The number lies so near to the limit that no affordable number of questions would settle it")
    limit = _limit(run, key, n_needed / n)
    if limit is None:
        return Reason(
            "About {count} questions would settle it, more than the data has: take a wider margin, or add a task",
            count=f"{_rounded(n_needed):,}",
        )
    command = command_of(run, key, limit)
    if against:
        return Reason(
            "About {count} questions would settle it, asked of both: `{command}`",
            count=f"{_rounded(n_needed):,}",
            command=command,
        )
    return Reason(
        "About {count} questions would settle it: `{command}`", count=f"{_rounded(n_needed):,}", command=command
    )


def command_of(run: Scored, key: Key, limit: int) -> str:
    """What evaluates the run's checkpoint again, as it was evaluated, on so many questions of each task of a number.

    Tasks of a file are asked by `SUITE_FILE`, as no record keeps where the file was.
    """
    spec = run.record.spec
    tasks = _tasks(run, key)
    names = [task.task for task in tasks]
    options = ["--model", spec.model]
    if {*names} <= {*registry.names("harness.tasks")}:
        options += [word for name in names for word in ("--task", name)]
    else:
        options += ["--suite", key.suite if key.suite in registry.names("harness.suites") else _SUITE_FILE]
    options += ["--limit", str(limit)]
    if spec.dtype in _DTYPES:
        options += ["--dtype", spec.dtype]
    if spec.seed:
        options += ["--seed", str(spec.seed)]
    if spec.apply_chat_template:
        options += ["--apply-chat-template"]
    shots = {task.num_fewshot for task in tasks}
    if len(shots) == 1 and shots != _usual_shots(names):
        options += ["--num-fewshot", str(*shots)]
    return shlex.join(["harness", "eval", *options])


_SUITE_FILE = "SUITE_FILE"
"""In place of a path that only the user knows, as in a line of usage."""
_DTYPES = ("float32", "bfloat16", "float16")


def _tasks(run: Scored, key: Key) -> list[TaskSpec]:
    """What the number is made of."""
    names = {(one.suite, one.task) for one in contrasted_parts(run, key) or [key]}
    return [task for task in run.record.spec.tasks if (task.suite, task.task) in names]


def _usual_shots(names: Sequence[str]) -> set[int]:
    """How many exemplars the tasks have where nobody says; empty where one of them can't be told."""
    try:
        return {registry.task(name).default_num_fewshot for name in names}
    except HarnessError:
        return set()


def _limit(run: Scored, key: Key, factor: float) -> int | None:
    """`--limit` for so many times the samples; None where the data was asked to its end, or has fewer."""
    tasks = [task for task in _tasks(run, key) if task.limit is not None and task.sample_count >= task.limit]
    limit = _rounded(math.ceil(max((task.limit or 0 for task in tasks), default=0) * factor))
    rows = [_row_count(task.task) for task in tasks]
    return limit if any(count is None or limit <= count for count in rows) else None


def _row_count(name: str) -> int | None:
    """How many rows the task's data has; None where that isn't known without reading it."""
    try:
        data = registry.task(name).data
        return find(data).row_count if isinstance(data, str) else data.row_count if data else None
    except HarnessError:
        return None


def _rounded(count: int) -> int:
    """Up to two digits."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
