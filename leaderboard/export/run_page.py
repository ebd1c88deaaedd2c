"""The page of one run: a scorecard, what to worry about, and folded below it every score, figure and digest."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness.charts import than_chance_words, to_svg
from harness.core.reports.installed import suite_report
from harness.core.scores import Estimate
from harness.core.text.display import number
from harness.decision.context import ScoreContext
from harness.decision.keys import key_of
from harness.decision.verdicts import Verdict, latest_verdicts
from harness.record import RunRecord
from harness.record.estimates import estimate_row
from harness.record.opening import read_json
from harness.record.seal import SEAL
from harness.report.context import ReportContext
from harness.report.figures import suite_drawings
from harness.report.worries import worries
from leaderboard.export.folder import Sheaf
from leaderboard.export.runs import BoardRuns
from leaderboard.export.tongue import Tongue

__all__ = ["put_run_file", "run_file", "run_page"]

FIRST = 3
"""Worries that are shown before one asks for more."""


def run_file(run_id: str) -> str:
    """The name of a run's page."""
    return f"run-{run_id}.html"


def run_page(
    held: BoardRuns, run_id: str, tongue: Tongue, sheaf: Sheaf, *, has_samples: bool, apart: str | None
) -> str:
    """The page in one language, whose figures go into the sheaf; `apart` says why it doesn't rank, where it doesn't."""
    record = held.records[run_id]
    verdicts = latest_verdicts(record.folder)
    context = ReportContext(record=record, words=tongue.words, verdicts=verdicts)
    heads = [one for one in held.estimates[run_id] if one.is_headline]
    by_suite = {one.suite: one for one in heads}
    absent = [one for one in heads if one.value is None]
    found = [one.text for one in worries(context)]
    return tongue.page(
        "run.jinja",
        run_file(run_id),
        name=held.names[run_id],
        run_id=run_id,
        about=_about(held, run_id, tongue),
        cards=[_card(held, run_id, by_suite[suite], tongue) for suite in held.scorecards[run_id]],
        absent=[(tongue.title(one.suite), tongue.reason(one.reason)) for one in absent],
        first=found[:FIRST],
        others=found[FIRST:],
        verdicts=[_verdict(one, tongue) for one in verdicts],
        suites=[_suite(held, context, suite, tongue, sheaf) for suite in dict.fromkeys(_suites(held, run_id))],
        provenance=_provenance(record, tongue),
        has_samples=has_samples,
        apart=apart,
    )


def put_run_file(sheaf: Sheaf, held: BoardRuns, run_id: str) -> None:
    """The run as JSON, for other programs."""
    record = held.records[run_id]
    whole = {
        "run_id": run_id,
        "spec": record.spec.to_json(),
        "checkpoint": record.checkpoint,
        "environment": record.environment,
        "estimates": list(map(estimate_row, held.estimates[run_id])),
    }
    text = json.dumps(whole, ensure_ascii=True, indent=1, sort_keys=True, default=str)
    sheaf.put(f"data/{run_id}/run.json", f"{text}\n")


def _about(held: BoardRuns, run_id: str, tongue: Tongue) -> str:
    """Kind, dtype, size and date of a run in one line."""
    row = held.rows[held.rows["run_id"] == run_id].iloc[0]
    count = row["parameter_count"]
    size = "" if pd.isna(count) else f"{number(count / 1e6)} M {tongue.say('parameters')}"
    return " · ".join(str(one) for one in (row["kind"], row["dtype"], size, str(row["started_at"])[:10]) if one)


def _suites(held: BoardRuns, run_id: str) -> list[str]:
    return [one.suite for one in held.estimates[run_id] if one.applies]


def _card(held: BoardRuns, run_id: str, one: Estimate, tongue: Tongue) -> dict[str, Any]:
    word = held.contexts[run_id].get(key_of(one), ScoreContext()).than_chance
    return {
        "title": tongue.title(one.suite),
        "suite": one.suite,
        "one": one,
        "told": f"{tongue.metric(one.suite, one.metric)} ({tongue.words.unit(one.unit)})",
        "drawn": held.drawn(run_id, one.suite, tongue),
        "scale": held.scale(run_id, one.suite, tongue),
        "mark": word.partition(" ")[0].partition("'")[0] if word else "",
        "word": tongue.say(than_chance_words(word)) if word else "",
    }


def _verdict(verdict: Verdict, tongue: Tongue) -> dict[str, Any]:
    return {
        "verdict": verdict.verdict,
        "policy": verdict.policy,
        "rules": [
            {"rule": rule.rule, "verdict": rule.verdict, "reason": tongue.words.reason(rule.reason), "n": rule.n}
            for rule in verdict.rules
        ],
    }


def _suite(held: BoardRuns, context: ReportContext, suite: str, tongue: Tongue, sheaf: Sheaf) -> dict[str, Any]:
    """The scores of a suite, those of groups apart, and its figures as files."""
    run_id = context.record.run_id
    mine = [one for one in held.estimates[run_id] if one.suite == suite and one.applies]
    grouped = [one for one in mine if one.group is not None]
    whole = sorted((one for one in mine if one.group is None), key=lambda one: not one.is_headline)
    return {
        "name": suite,
        "title": tongue.title(suite),
        "rows": [_score(held, run_id, one, tongue) for one in whole],
        "groups": [_score(held, run_id, one, tongue) for one in grouped],
        "figures": _figures(context, suite, tongue, sheaf),
    }


def _score(held: BoardRuns, run_id: str, one: Estimate, tongue: Tongue) -> dict[str, Any]:
    context = held.contexts[run_id].get(key_of(one), ScoreContext())
    return {
        "one": one,
        "task": tongue.words.task(one.suite, one.task),
        "metric": tongue.metric(one.suite, one.metric),
        "group": tongue.words.of(one.suite).group(one.group),
        "unit": tongue.words.unit(one.unit),
        "basis": tongue.say(one.basis),
        "chance": context.chance,
        "optimum": context.optimum,
        "reason": tongue.reason(one.reason) if one.value is None else "",
    }


def _figures(context: ReportContext, suite: str, tongue: Tongue, sheaf: Sheaf) -> list[tuple[str, str]]:
    """The file of each figure of a suite that draws its own, and what it shows."""
    if not suite_report(suite).has_own_figures:
        return []
    found = []
    for place, drawing in enumerate(suite_drawings(context, tongue.words, suite)):
        name = f"data/{context.record.run_id}/{tongue.code}-{suite}-{place}.svg"
        sheaf.put(name, to_svg(drawing.draw(language=tongue.code)))
        found.append((name, drawing.caption))
    return found


def _provenance(record: RunRecord, tongue: Tongue) -> Sequence[tuple[str, str]]:
    """What pins the run, as JSON texts under their titles."""
    parts = (
        ("Environment", record.environment),
        ("Checkpoint and digests of its files", record.checkpoint),
        ("Seal: digests of the run's files", read_json(record.folder / SEAL)),
        ("Spec", record.spec.to_json()),
    )
    return [(tongue.say(title), json.dumps(content, ensure_ascii=False, indent=2)) for title, content in parts]
