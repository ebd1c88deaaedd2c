"""The command that would settle a rule that is open."""

import math
import shlex

from harness.core.text.reasons import Reason
from harness.decision.contrasts import contrasted_parts
from harness.decision.keys import Key
from harness.decision.scored import Scored

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
    """What evaluates the run's checkpoint again on so many questions a task of what the number is of."""
    spec = run.record.spec
    asked = ["--suite", key.suite] if key.is_headline else ["--task", key.task]
    seed = ["--seed", str(spec.seed)] if spec.seed else []
    return shlex.join(["harness", "eval", "--model", spec.model, *asked, "--limit", str(limit), *seed])


def _limit(run: Scored, key: Key, factor: float) -> int | None:
    """`--limit` for so many times the samples; None where the data was asked to its end."""
    names = {(one.suite, one.task) for one in contrasted_parts(run, key) or [key]}
    tasks = [task for task in run.record.spec.tasks if (task.suite, task.task) in names]
    limits = [task.limit for task in tasks if task.limit is not None]
    return _rounded(math.ceil(max(limits) * factor)) if limits else None


def _rounded(count: int) -> int:
    """Up to two digits."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return -(-count // step) * step
