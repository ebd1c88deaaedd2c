"""What an export holds in hand: the store, the verified records, how each run is called, and its scorecard."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from markupsafe import Markup

from harness.core.reports.installed import suite_reports
from harness.core.scores import Estimate
from harness.core.text.display import number, visible
from harness.record import RunRecord
from harness.store import Store
from leaderboard.export.dials import dial
from leaderboard.export.levels import ScoreEnds, levels_of
from leaderboard.export.tongue import Tongue

__all__ = ["BoardRuns"]


@dataclass(frozen=True)
class BoardRuns:
    """`rows` are those of `queries.checkpoints` of every verified run, `names` what each run of the store is called."""

    store: Store
    rows: pd.DataFrame
    names: Mapping[str, str]
    records: Mapping[str, RunRecord]

    @cached_property
    def estimates(self) -> Mapping[str, list[Estimate]]:
        """The estimates of each run."""
        return {run_id: record.estimate_list for run_id, record in self.records.items()}

    @cached_property
    def levels(self) -> Mapping[str, Mapping[tuple[str, str, str], ScoreEnds]]:
        """What guessing gives and the best there can be, of each run and score."""
        return {run_id: levels_of(one, self.estimates[run_id]) for run_id, one in self.records.items()}

    def level(self, run_id: str, one: Estimate) -> ScoreEnds:
        """Those of one score."""
        return self.levels[run_id].get((one.suite, one.task, one.metric), _UNKNOWN)

    def headlines(self, run_id: str) -> dict[str, Estimate]:
        """The one score of each suite that has a value, in the order in which lists tell suites."""
        order = {name: place for place, name in enumerate(suite_reports())}
        heads = [one for one in self.estimates[run_id] if one.is_headline and one.applies and one.value is not None]
        return {one.suite: one for one in sorted(heads, key=lambda one: (order.get(one.suite, len(order)), one.suite))}

    def scale(self, run_id: str, suite: str, tongue: Tongue) -> str:
        """What guessing would give a suite's score, and the best there can be, in words; empty where none is known."""
        one = self.headlines(run_id).get(suite)
        levels = _UNKNOWN if one is None else self.level(run_id, one)
        named = ((tongue.say("chance"), levels.chance), (tongue.say("best"), levels.best))
        return " · ".join(f"{name} {number(value)}" for name, value in named if value is not None)

    def drawn(self, run_id: str, suite: str, tongue: Tongue) -> Markup:
        """The score of a suite on a line; empty where there is none, or where its ends are open."""
        one = self.headlines(run_id).get(suite)
        if one is None:
            return Markup()
        reach = tongue.words.interval(one.low, one.high)
        told = [tongue.title(suite), number(one.value), reach, self.scale(run_id, suite, tongue)]
        return dial(one, self.level(run_id, one), visible("; ".join(filter(None, told))))


_UNKNOWN = ScoreEnds(chance=None, worst=None, best=None)
