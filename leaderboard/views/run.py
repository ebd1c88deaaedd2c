"""Everything about one run."""

import inspect
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.charts import group_bars
from harness.core import registry
from harness.core.errors import HarnessError
from harness.core.reports import Drawing
from harness.core.reports.installed import suite_report
from harness.core.scores import SampleGroup
from harness.core.text.display import elided, number, visible
from harness.record import RunRecord
from harness.record.opening import read_json
from harness.report.figures import suite_drawings
from harness.report.words import Words
from leaderboard.address import choose_one
from leaderboard.chosen import chosen_run
from leaderboard.data import queries
from leaderboard.data.stored import StoredRun
from leaderboard.links import link
from leaderboard.parts import chart, downloads, estimate_table, shown_estimates, shown_table, titled_table
from leaderboard.report import pdf_of
from leaderboard.scorecard import at_a_glance
from leaderboard.session import Session, contexts_of, record_of
from leaderboard.words import escaped

__all__ = ["page"]

_ENGINE = "Engine: {asked} tokens asked, {computed} read: {factor} times fewer, for what requests share is read once."


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Run"))
    chosen = chosen_run(session)
    if chosen is None:
        return
    run_id = chosen.run_id
    record = record_of(session, run_id)
    estimates = queries.estimates(session.store, [run_id], groups=True).assign(name=chosen.names[run_id])
    _heading(session, chosen.row, record)
    at_a_glance(session, estimates, record, run_id)
    _onward(session, run_id, record, estimates)
    titles = {"scores": t("Scores by suite"), **{suite: session.title(suite) for suite in _drawing_suites(estimates)}}
    titles |= {"groups": t("Groups"), "provenance": t("Environment and digests")}
    view = choose_one(st, t("Show"), list(titles), "view", shown=titles.__getitem__, width=280)
    if view in _DRAW:
        _DRAW[view](session, estimates, record, chosen.row)
    else:
        _figures(session, _drawings(session, estimates, record, view), view)


def _drawing_suites(estimates: pd.DataFrame) -> list[str]:
    """The suites of a run that draw more than their groups."""
    return [suite for suite in dict.fromkeys(estimates["suite"]) if suite_report(suite).has_own_figures]


def _drawings(session: Session, estimates: pd.DataFrame, record: RunRecord | None, suite: str) -> list[Drawing]:
    run = StoredRun.of(estimates, record)
    return suite_drawings(run, Words("zh" if session.t.code == "zh" else "en"), suite)


def _figures(session: Session, drawings: Sequence[Drawing], suite: str) -> None:
    """What the suite draws, two beside each other where they are many."""
    t = session.t
    places = st.columns(2) if len(drawings) > 1 else [st.container()]
    for place, one in enumerate(drawings):
        with places[place % len(places)]:
            behind = one.table if one.table is not None else shown_estimates(session, one.rows)
            picture = partial(one.draw, theme=session.theme, language=t.code)
            chart(session, picture, behind, key=f"figure {place} of {suite}")
    _nothing(session, bool(drawings))


def _heading(session: Session, row: "pd.Series[Any]", record: RunRecord | None) -> None:
    """What was evaluated, in a line, and whether its record can be trusted."""
    t = session.t
    size = "" if pd.isna(row["parameter_count"]) else t("{n} M parameters", n=number(row["parameter_count"] / 1e6))
    about = (
        elided(str(row["model"]), 60),
        session.words.term(row["kind"]),
        size,
        row["dtype"],
        str(row["started_at"])[:10],
    )
    said = " · ".join(escaped(str(one)) for one in (*about, row["run_id"]) if one)
    sealed = t("Sealed, and every file is as it was sealed: its digests were checked.")
    st.caption(said if record is None else f"{said}  \n:material/verified: {escaped(sealed, 200)}")


def _onward(session: Session, run_id: str, record: RunRecord | None, estimates: pd.DataFrame) -> None:
    """Where to go from here, and what to take along."""
    t = session.t
    with st.container(horizontal=True, vertical_alignment="center"):
        link("samples", t("Its samples"), icon=":material/list_alt:", run=run_id)
        link("history", t("Its history"), icon=":material/timeline:", run=run_id)
        if record is not None:
            _files(session, record, estimates.drop(columns=["name"]))


def _scores(session: Session, estimates: pd.DataFrame, record: RunRecord | None, row: "pd.Series[Any]") -> None:
    """Every score, a suite at a time, folded: the page is to be seen at once."""
    t = session.t
    shown = estimates[estimates["group"].isna() & estimates["applies"]]
    suites = list(dict.fromkeys(shown["suite"]))
    with st.expander(t("All {n} scores", n=f"{len(shown):,}"), expanded="suite" in st.query_params):
        if suites:
            suite = choose_one(st, t("Suite"), suites, "suite", shown=session.title)
            of_suite = shown[shown["suite"] == suite].sort_values("is_headline", ascending=False, kind="stable")
            shown_table(estimate_table(session, of_suite, contexts_of(record)), key=f"scores {suite}")
            if st.toggle(t("Definitions"), key=f"definitions {suite}"):
                _definitions(suite, list(dict.fromkeys(of_suite["task"])))
        downloads(session, estimates.drop(columns=["name"]), f"run-{row['run_id']}")
    out = estimates[~estimates["applies"]].drop_duplicates("task")
    if len(out):
        with st.expander(t("Not defined for this kind of checkpoint")):
            titled_table(session, out.assign(reason=session.reasons(out))[["task", "reason"]])


def _definitions(suite: str, tasks: Sequence[str]) -> None:
    """What the suite and its tasks measure, from their own docstrings."""
    for group, names in (("harness.suites", [suite]), ("harness.tasks", tasks)):
        for name in names:
            try:
                said = inspect.getdoc(registry.load(group, name))
            except HarnessError:
                continue  # a task of the user's own file, or one made for this run: it has no docstring here
            if said:
                st.code(visible(f"{name}\n\n{said}"), language=None, wrap_lines=True)


def _files(session: Session, record: RunRecord, estimates: pd.DataFrame) -> None:
    t = session.t
    whole = {
        "run_id": record.run_id,
        "spec": record.spec.to_json(),
        "checkpoint": record.checkpoint,
        "environment": record.environment,
        "estimates": json.loads(estimates.to_json(orient="records")),
    }
    whole_json = json.dumps(whole, ensure_ascii=False, indent=2).encode("utf-8", errors="backslashreplace")
    st.download_button(t("The whole run as JSON"), whole_json, f"{record.run_id}.json", "application/json", key="whole")
    make = partial(pdf_of, record, t.code)
    st.download_button(t("Report (PDF)"), make, f"{record.run_id}.pdf", "application/pdf", key="pdf")


def _groups(session: Session, estimates: pd.DataFrame, record: RunRecord | None, _row: Any) -> None:
    t = session.t
    grouped = estimates[estimates["group"].notna() & estimates["value"].notna()]
    drawn = _drawn(session, estimates, record)
    attributes = [SampleGroup.parse(text).attribute for text in grouped["group"]]
    grouped = grouped[[key not in drawn for key in zip(grouped["suite"], attributes, strict=True)]]
    tasks = list(dict.fromkeys(grouped["task"]))
    if not tasks:
        _nothing(session, drawn=False)
        return
    columns = st.columns(2)
    task = choose_one(columns[0], t("Task"), tasks, "task")
    metric = choose_one(
        columns[1], t("Metric"), list(dict.fromkeys(grouped.loc[grouped["task"] == task, "metric"])), "metric"
    )
    same = (estimates["task"] == task) & (estimates["metric"] == metric)
    shown = estimates[same & (estimates["group"].isna() | estimates.index.isin(grouped.index))]
    picture = partial(group_bars, shown, session.theme, t.code)
    chart(session, picture, estimate_table(session, estimates[same]), key="groups")


def _drawn(session: Session, estimates: pd.DataFrame, record: RunRecord | None) -> set[tuple[str, str]]:
    """Suite and attribute of the groups that a view of the suite shows."""
    return {
        (suite, row.group.attribute)
        for suite in _drawing_suites(estimates)
        for drawing in _drawings(session, estimates, record, suite)
        for row in drawing.rows
        if row.group is not None
    }


def _provenance(session: Session, _estimates: Any, record: RunRecord | None, row: "pd.Series[Any]") -> None:
    t = session.t
    asked, computed = row["asked_token_count"], row["computed_token_count"]
    if pd.notna(asked) and pd.notna(computed) and computed:
        counted = {"asked": f"{int(asked):,}", "computed": f"{int(computed):,}", "factor": f"{asked / computed:.2f}"}
        st.caption(t(_ENGINE, **counted))
    if record is None:
        return
    for title, content in (
        (t("Environment"), record.environment),
        (t("Checkpoint and digests of its files"), record.checkpoint),
        (t("Seal: digests of the run's files"), read_json(record.folder / "seal.json")),
        (t("Spec"), record.spec.to_json()),
    ):
        st.subheader(title)
        st.code(
            visible(json.dumps(content, ensure_ascii=False, indent=2)), language="json", wrap_lines=True, height=320
        )


def _nothing(session: Session, drawn: bool) -> None:
    if not drawn:
        st.info(session.t("This run measured nothing of this kind."))


_DRAW = {
    "scores": _scores,
    "groups": _groups,
    "provenance": _provenance,
}
