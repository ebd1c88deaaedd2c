"""Single samples: what was asked, what was answered, and how it was scored."""

from typing import Any, get_args

import pandas as pd
import streamlit as st

from harness.core.text.display import elided
from harness.record import RunRecord
from leaderboard.address import as_in_address, choose_one, in_address, is_new, put
from leaderboard.chosen import chosen_run
from leaderboard.data.samples import PAGE_SIZE, Outcome, SampleQuery, facets, page_of, samples_page
from leaderboard.one_sample import SampleKey, one_sample
from leaderboard.parts import titled_table
from leaderboard.session import Session, record_of

__all__ = ["page"]

_ANY = ""
_CLEAN = "as it is"
_TICKED = "row of the list"
_FOLDED = ("metric", "variant", "group", "confidence")
"""What few readers narrow."""


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Samples"))
    chosen = chosen_run(session)
    if chosen is None:
        return
    record = record_of(session, chosen.run_id)
    if record is None:
        return
    query = _query(session, facets(record))
    if query is None:
        st.info(t("This run has no samples."))
        return
    _pages(session, record, query)


def _pages(session: Session, record: RunRecord, query: SampleQuery) -> None:
    number = _page_number(record, query)
    found = samples_page(record, query, number - 1)
    pages = max(-(-found.total // PAGE_SIZE), 1)
    if number > pages:
        number = pages
        found = samples_page(record, query, number - 1)
    st.caption(session.t("{n} scores found. Tick one to see its sample.", n=f"{found.total:,}"))
    rows = found.frame
    names = [_name(query, row) for row in rows.to_dict("records")]
    _list(session, rows.assign(invalid=session.reasons(rows, "invalid")), names, everywhere=query.task is None)
    chosen = st.pagination(pages, default=number, key=f"pages from {number}") if pages > 1 else number
    put("page", None if chosen == 1 else str(chosen))
    if chosen != number:
        put("sample", None)
        st.rerun()
    keys = {
        name: SampleKey(suite=row["suite"], task=row["task"], metric=row["metric"], sample_id=row["sample_id"])
        for name, row in zip(names, rows.to_dict("records"), strict=True)
    }
    if keys:
        name = choose_one(st, session.t("Sample"), list(keys), "sample", always=True, shown=lambda one: elided(one, 80))
        one_sample(session, record, keys[name])


def _page_number(record: RunRecord, query: SampleQuery) -> int:
    """The page that the address names, else the one that its sample is on."""
    number = in_address("page", 1, lambda raw: int(raw) if raw.isdecimal() and int(raw) else None)
    if "page" in st.query_params or query.task is None or not is_new("sample"):
        return number
    return (page_of(record, query, st.query_params["sample"]) or 0) + 1


def _name(query: SampleQuery, row: dict[Any, Any]) -> str:
    """What a sample is called in the address: its id, with its task where all of them are searched."""
    return str(row["sample_id"]) if query.task else f"{row['suite']}/{row['task']}/{row['sample_id']}"


def _query(session: Session, known: pd.DataFrame) -> SampleQuery | None:
    t = session.t
    if known.empty:
        return None
    pairs = {f"{suite}/{task}": (suite, task) for suite, task in zip(known["suite"], known["task"], strict=True)}
    columns = st.columns([2, 2, 1])
    searched = columns[0].text_input(t("Search in texts"), **as_in_address("q", "", str))
    put("q", searched or None)
    chosen = choose_one(
        columns[1], t("Task"), [_ANY, *pairs], "task", shown=lambda one: one or t("all tasks"), always=False
    )
    suite, task = pairs.get(chosen, (None, None))
    outcome = choose_one(
        columns[2], t("Outcome"), [_ANY, *get_args(Outcome)], "outcome", shown=lambda one: t(one or "any")
    )
    of_task = known if task is None else known[(known["suite"] == suite) & (known["task"] == task)]
    with st.expander(t("More filters"), expanded=any(name in st.query_params for name in _FOLDED)):
        more = st.columns(3)
        metrics = [_ANY] if task is None else list(of_task["metric"])
        metric = choose_one(
            more[0], t("Metric"), metrics, "metric", shown=lambda one: t(one or "the first of each task")
        )
        of_metric = of_task[of_task["metric"] == metric] if metric else of_task
        variants, groups = (
            list(dict.fromkeys(one for row in of_metric[name] for one in row if one)) for name in ("variants", "groups")
        )
        variant = choose_one(
            more[1],
            t("Variant"),
            [_ANY, *([_CLEAN, *variants] if variants else [])],
            "variant",
            shown=lambda one: t(one or "any"),
        )
        group = choose_one(more[2], t("Group"), [_ANY, *groups], "group", shown=lambda one: one or t("any"))
        low, high = _confidence(session)
    return SampleQuery(
        suite=suite,
        task=task,
        metric=metric or None,
        variant={_ANY: None, _CLEAN: ""}.get(variant, variant),
        group=group or None,
        outcome=outcome or None,  # type: ignore[arg-type]  # one of Outcome's
        confidence_low=low,
        confidence_high=high,
        text=searched,
    )


def _confidence(session: Session) -> tuple[float | None, float | None]:
    title = session.t("Confidence: the share of the likeliest choice")
    bounds: Any = st.slider(title, 0.0, 1.0, step=0.05, **as_in_address("confidence", (0.0, 1.0), _range))
    low, high = bounds
    put("confidence", None if (low, high) == (0.0, 1.0) else f"{low:g}-{high:g}")
    return (low if low > 0 else None), (high if high < 1 else None)


def _range(raw: str) -> tuple[float, float] | None:
    low, _, high = raw.partition("-")
    try:
        bounds = (float(low), float(high))
    except ValueError:
        return None
    return bounds if 0 <= bounds[0] <= bounds[1] <= 1 else None


def _list(session: Session, frame: pd.DataFrame, samples: list[str], *, everywhere: bool) -> None:
    scored = ("sample_id", "variant", "value", "gold", "predicted", "remark", "confidence", "tie", "invalid")
    names = (*(("task",) if everywhere else ()), *scored, "prompt", "answer")
    told = [name for name in names if any(pd.notna(one) and one not in ("", False) for one in frame[name])]
    shown = frame[[name for name in names if name in told or name == "value"]]
    picked = titled_table(
        session,
        shown,
        key="list",
        height=300,
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = list(picked["selection"]["rows"])
    # A tick counts once: the box below may choose another sample later.
    if rows and rows != st.session_state.get(_TICKED) and rows[0] < len(frame):
        st.query_params["sample"] = samples[rows[0]]
    st.session_state[_TICKED] = rows
