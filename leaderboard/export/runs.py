"""What an export holds in hand: the store, the verified records, how each run is called, and its scorecard."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from harness.core.scores import Estimate
from harness.core.text.display import number, visible
from harness.decision.context import ScoreContext, score_contexts
from harness.decision.keys import Key
from harness.record import RunRecord
from harness.store import Store
from leaderboard.data.scorecard import scorecard_rows
from leaderboard.export.dials import dial
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
    def contexts(self) -> Mapping[str, Mapping[Key, ScoreContext]]:
        """What guessing gives and the best there can be, of each run and score."""
        return {run_id: score_contexts(one, estimates=self.estimates[run_id]) for run_id, one in self.records.items()}

    @cached_property
    def scorecards(self) -> Mapping[str, Mapping[str, Mapping[Any, Any]]]:
        """By run and suite, the row of `scorecard_rows`; nothing for a suite without a score."""
        made = {
            run_id: scorecard_rows(self.estimates[run_id], self.contexts[run_id], record.metrics)
            for run_id, record in self.records.items()
        }
        return {run_id: {row["suite"]: row for row in rows.to_dict("records")} for run_id, rows in made.items()}

    def scale(self, run_id: str, suite: str, tongue: Tongue) -> str:
        """What guessing would give a suite's score, and the best there can be, in words; empty where none is known."""
        row = self.scorecards[run_id].get(suite, {})
        named = ((tongue.say("chance"), row.get("chance")), (tongue.say("best"), row.get("optimum")))
        return " · ".join(
            f"{name} {number(value)}" for name, value in named if value is not None and not pd.isna(value)
        )

    def drawn(self, run_id: str, suite: str, tongue: Tongue) -> Markup:
        """The score of a suite on a line; empty where there is none, or where its ends are open."""
        row = self.scorecards[run_id].get(suite)
        if row is None:
            return Markup()
        reach = "" if pd.isna(row["low"]) else tongue.words.interval(row["low"], row["high"])
        told = [tongue.title(suite), number(row["value"]), reach, self.scale(run_id, suite, tongue)]
        return dial(row, visible("; ".join(filter(None, told))))
