"""The page of two runs: what differs for sure, what both cost, and the samples that flipped."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import pandas as pd

from harness.charts import forest, to_svg
from harness.decision.comparison import Comparison, MetricDifference
from harness.decision.flips import Flip, first_of_each_task
from harness.report.differences import difference_table
from leaderboard.data import queries
from leaderboard.data.changes import change_lines, cost_rows
from leaderboard.data.comparability import may_compare
from leaderboard.export.folder import Sheaf
from leaderboard.export.runs import BoardRuns
from leaderboard.export.samples_page import Places, sample_link
from leaderboard.export.tongue import Tongue

__all__ = ["compare_file", "compare_page", "pairs", "pairs_page"]

MOST_RUNS = 5
"""Runs up to which any two are compared; of more, each is compared with the last before it that it may be."""

MOST_FLIPS = 30
"""Flipped samples that are shown of each task; both records hold them all."""

Pair = tuple[str, str]


def compare_file(pair: Pair) -> str:
    """The name of the page of two runs, the baseline first."""
    return f"compare-{pair[0]}-{pair[1]}.html"


def pairs(held: BoardRuns) -> list[Pair]:
    """Which runs are held against each other: baseline and candidate, which began later, by run id."""
    ids = [str(run_id) for run_id in reversed(list(held.rows["run_id"]))]
    asked = queries.asked(held.store, ids)
    alike = [pair for pair in combinations(ids, 2) if may_compare(asked[pair[0]], asked[pair[1]])]
    if len(ids) <= MOST_RUNS:
        return alike
    # The last of those with the same candidate holds its nearest predecessor.
    return list({second: (first, second) for first, second in alike}.values())


def pairs_page(held: BoardRuns, found: Sequence[Pair], tongue: Tongue) -> str:
    """The list of all comparisons."""
    return tongue.page(
        "pairs.jinja",
        "compare.html",
        pairs=[(compare_file(pair), [(held.names[one], one) for one in pair]) for pair in found],
        run_count=len(held.rows),
    )


def compare_page(
    held: BoardRuns, comparison: Comparison, places: Mapping[str, Places], tongue: Tongue, sheaf: Sheaf
) -> str:
    """The page in one language; `places` say of each run in which piece its samples are.

    Without any, the page says how many samples flipped, and shows none.
    """
    pair = comparison.first_run_id, comparison.second_run_id
    words, sides = tongue.words, (tongue.say("Baseline"), tongue.say("Candidate"))
    by_suite: dict[str, list[MetricDifference]] = {}
    for one in comparison.at("metric"):
        by_suite.setdefault(one.suite, []).append(one)
    sure = [one for one in comparison.at("metric") if one.is_significant]
    counts = Counter((one.suite, one.task) for one in comparison.flips)
    return tongue.page(
        "compare.jinja",
        compare_file(pair),
        runs=[(held.names[one], one) for one in pair],
        conditions=list(map(words.reason, comparison.conditions)),
        said=change_lines(comparison, words),
        figures=_figures(comparison, tongue, sheaf),
        headlines=difference_table(words, tongue.say("Suites"), comparison.at("suite"), sides),
        sure=difference_table(words, "", sure, sides),
        tasks=[(tongue.title(suite), difference_table(words, "", rows, sides)) for suite, rows in by_suite.items()],
        costs=cost_rows(comparison.costs),
        flips=[
            (suite, task, count, [_flip(one, pair, places) for one in _first(comparison, suite, task) if places])
            for (suite, task), count in counts.items()
        ],
        gained=sum(one.gained for one in comparison.flips),
    )


def _figures(comparison: Comparison, tongue: Tongue, sheaf: Sheaf) -> list[tuple[str, str]]:
    """The differences of suites drawn, a file for each unit: joules have no place beside shares."""
    rows = [asdict(one) for one in comparison.at("suite") if one.difference is not None]
    if not rows:
        return []
    frame = pd.DataFrame(rows)
    frame = frame.assign(label=frame["suite"].map(tongue.title), verdict=frame["change"])
    stem = f"data/{comparison.first_run_id}-{comparison.second_run_id}"
    found = []
    for place, (unit, of_unit) in enumerate(frame.groupby("unit", sort=False)):
        name = f"{stem}/{tongue.code}-{place}.svg"
        chart = forest(of_unit, "light", tongue.code, unit=tongue.say(str(unit)), has_title=False)
        sheaf.put(name, to_svg(chart, width=360))
        found.append((name, ", ".join(of_unit["label"])))
    return found


def _first(comparison: Comparison, suite: str, task: str) -> list[Flip]:
    mine = [one for one in comparison.flips if (one.suite, one.task) == (suite, task)]
    return first_of_each_task(mine, MOST_FLIPS)


def _flip(one: Flip, pair: Pair, places: Mapping[str, Places]) -> dict[str, Any]:
    links = [sample_link(run_id, places[run_id], one) if run_id in places else None for run_id in pair]
    return {"one": one, "links": links}
