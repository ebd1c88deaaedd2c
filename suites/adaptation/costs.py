"""What training on rows cost, by the clock and the energy meter."""

import math
from collections.abc import Iterator, Sequence

from harness.core.meters import Window
from harness.core.scores import Estimate, SampleGroup
from harness.core.tasks import Results
from harness.core.text.reasons import Reason
from harness.core.training.lessons import taught_in
from suites.adaptation.metrics import ROWS, TRAINED_ACC, as_rows

__all__ = ["training_costs"]

SECONDS, JOULES = "training_seconds", "training_energy_joules"


def training_costs(suite: str, results: Results) -> list[Estimate]:
    """Seconds and joules of the training on each number of rows, of each task that trains; of the most rows, too.

    They are sums over the meter's windows: without a meter they are absent, as is energy that it couldn't read.
    """
    found: list[Estimate] = []
    for (_, task), scores in results.scores.items():
        groups = {one.groups[ROWS] for one in scores if one.metric == TRAINED_ACC.name and one.value is not None}
        trained = sorted(groups - {as_rows(0)})
        for rows in trained:
            windows = [one for one in results.windows if taught_in(one.stage) == (task, int(rows))]
            group = SampleGroup(ROWS, rows)
            found += _costs(suite, task, group, windows, results.signature)
            if rows == trained[-1]:
                found += _costs(suite, task, None, windows, results.signature)
    return found


def _costs(
    suite: str, task: str, group: SampleGroup | None, windows: Sequence[Window], signature: str
) -> Iterator[Estimate]:
    read = [one.energy_joules for one in windows if one.energy_joules is not None]
    unread = next((one.reason for one in windows if one.energy_joules is None), None)
    seconds = math.fsum(one.duration_s for one in windows) if windows else None
    joules = math.fsum(read) if windows and len(read) == len(windows) else None
    measured = bool(windows) and all(one.basis == "measured" for one in windows)
    nothing = Reason("no energy was recorded")
    for metric, unit, value, reason in (
        (SECONDS, "s", seconds, nothing),
        (JOULES, "J", joules, nothing if not windows else unread or nothing),
    ):
        yield Estimate(
            suite=suite,
            task=task,
            metric=metric,
            group=group,
            value=value,
            n=len(windows) if value is not None else 0,
            unit=unit,
            direction="lower",
            basis="measured" if metric == SECONDS or measured else "estimated",
            signature=signature,
            reason=None if value is not None else reason,
        )
