"""Single samples: what was asked, what was answered, and how it was scored."""

from functools import partial
from typing import Any, get_args

import pandas as pd
import streamlit as st

from harness.charts import attribution_map
from harness.core.text.display import elided
from harness.record import RunRecord
from harness.record.media import media_names
from leaderboard.address import as_in_address, choose_one, in_address, put
from leaderboard.chosen import chosen_run
from leaderboard.data.samples import PAGE_SIZE, Outcome, SampleQuery, facets, sample, samples_page
from leaderboard.marks import marked
from leaderboard.media import heat, in_words, media
from leaderboard.parts import drawing, shown_table, text
from leaderboard.session import Session, record_of
from leaderboard.words import escaped

__all__ = ["page"]

_ANY = ""
_CLEAN = "as it is"
_TICKED = "row of the list"


def page(session: Session) -> None:
    """Show it."""
    t = session.t
    st.title(t("Samples"))
    chosen = chosen_run(session)
    if chosen is None:
        return
    run_id = chosen.run_id
    record = record_of(session, run_id)
    if record is None:
        return
    query = _query(session, facets(record))
    if query is None:
        st.info(t("This run has no samples."))
        return
    _pages(session, record, query)


def _pages(session: Session, record: RunRecord, query: SampleQuery) -> None:
    number = in_address("page", 1, lambda raw: int(raw) if raw.isdecimal() and int(raw) else None)
    found = samples_page(record, query, number - 1)
    pages = max(-(-found.total // PAGE_SIZE), 1)
    if number > pages:
        number = pages
        found = samples_page(record, query, number - 1)
    st.caption(session.t("{n} scores found. Tick one to see its sample.", n=f"{found.total:,}"))
    _list(session, found.frame.assign(invalid=session.reasons(found.frame, "invalid")))
    chosen = st.pagination(pages, default=number, key=f"pages from {number}") if pages > 1 else number
    put("page", None if chosen == 1 else str(chosen))
    if chosen != number:
        st.rerun()
    ids = list(dict.fromkeys(found.frame["sample_id"]))
    if ids:
        sample_id = choose_one(st, session.t("Sample"), ids, "sample", always=True, shown=lambda one: elided(one, 80))
        _one(session, record, query, sample_id)


def _query(session: Session, known: pd.DataFrame) -> SampleQuery | None:
    t = session.t
    if known.empty:
        return None
    pairs = {f"{suite}/{task}": (suite, task) for suite, task in zip(known["suite"], known["task"], strict=True)}
    columns = st.columns(3)
    suite, task = pairs[choose_one(columns[0], t("Task"), list(pairs), "task")]
    of_task = known[(known["suite"] == suite) & (known["task"] == task)]
    metric = choose_one(columns[1], t("Metric"), list(of_task["metric"]), "metric")
    row = of_task[of_task["metric"] == metric].iloc[0]
    outcome = choose_one(
        columns[2], t("Outcome"), [_ANY, *get_args(Outcome)], "outcome", shown=lambda one: t(one or "any")
    )
    variants, groups = [one for one in row["variants"] if one], list(row["groups"])
    more = st.columns(3)
    variant = choose_one(
        more[0],
        t("Variant"),
        [_ANY, *([_CLEAN, *variants] if variants else [])],
        "variant",
        shown=lambda one: t(one or "any"),
    )
    group = choose_one(more[1], t("Group"), [_ANY, *groups], "group", shown=lambda one: one or t("any"))
    searched = more[2].text_input(t("Search in texts"), **as_in_address("q", "", str))
    put("q", searched or None)
    low, high = _confidence(session)
    return SampleQuery(
        suite=suite,
        task=task,
        metric=metric,
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


def _list(session: Session, frame: pd.DataFrame) -> None:
    t = session.t
    scored = ("sample_id", "variant", "value", "gold", "predicted", "remark", "confidence", "tie", "invalid")
    names = (*scored, "prompt", "answer")
    told = [name for name in names if any(pd.notna(one) and one not in ("", False) for one in frame[name])]
    shown = frame[[name for name in names if name in told or name == "value"]]
    picked = shown_table(
        shown.rename(columns={name: t(name) for name in names}),
        key="list",
        height=300,
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = list(picked["selection"]["rows"])
    # A tick counts once: the box below may choose another sample later.
    if rows and rows != st.session_state.get(_TICKED) and rows[0] < len(frame):
        st.query_params["sample"] = str(frame["sample_id"].iloc[rows[0]])
    st.session_state[_TICKED] = rows


def _one(session: Session, record: RunRecord, query: SampleQuery, sample_id: str) -> None:
    t = session.t
    found = sample(record, query.suite, query.task, sample_id)
    requests = found.requests
    st.subheader(t("Sample {id}", id=escaped(sample_id)))
    situations = _situations(requests)
    if len(situations) > 1:
        columns = st.columns(2)
        keys = list(situations)
        left = choose_one(columns[0], t("On the left"), keys, "left", shown=lambda one: elided(one, 60))
        right = choose_one(
            columns[1], t("On the right"), [*keys[1:], keys[0]], "right", shown=lambda one: elided(one, 60)
        )
        st.caption(t("What only one side has stands between ⟦ and ⟧."))
        first, second = marked(_prompt(situations[left]), _prompt(situations[right]))
        for place, name, prompt in ((columns[0], left, first), (columns[1], right, second)):
            with place:
                _asked(session, record, situations[name], prompt, key=f"{name} {place is columns[0]}")
    else:
        only = next(iter(situations.values()))
        _asked(session, record, only, _prompt(only), key="only")
    st.markdown(f"**{escaped(t('Scores'))}**")
    scores = found.scores.assign(invalid=session.reasons(found.scores, "invalid")).drop(columns="wording")
    scores = scores.replace("", None).dropna(axis="columns", how="all")
    if "groups" in scores:
        scores = scores.assign(
            groups=[", ".join(f"{name}={value}" for name, value in dict(one or {}).items()) for one in scores["groups"]]
        )
    shown_table(scores.rename(columns={name: t(name) for name in map(str, scores)}), key="scores of one")
    _attributions(session, record, query, sample_id, requests)


def _situations(requests: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The requests of a sample by what was shown to the model: variants of noise, else each prompt."""
    if requests["variant"].nunique() > 1:
        return {str(name) or _CLEAN: rows for name, rows in requests.groupby("variant", sort=False)}
    prompts = requests["context"].fillna("")
    shown = requests["settings"].map(lambda settings: tuple(media_names(settings)))
    if prompts.nunique() <= 1 and shown.nunique() > 1:
        return {f"{place}": rows for place, (_, rows) in enumerate(requests.groupby(shown, sort=False), 1)}
    if prompts.nunique() > 1:
        return {
            f"{place}: {elided(str(prompt)[-60:], 60)}": rows
            for place, (prompt, rows) in enumerate(requests.groupby(prompts, sort=False), 1)
        }
    texts = requests["continuation"].fillna("")
    if (prompts == "").all() and texts.nunique() > 1:
        return {
            f"{place}: {elided(str(one), 60)}": rows
            for place, (one, rows) in enumerate(requests.groupby(texts, sort=False), 1)
        }
    return {_CLEAN: requests}


def _prompt(requests: pd.DataFrame) -> str:
    """What was shown to the model; a text that was scored whole stands under the continuation."""
    context = requests["context"].iloc[0]
    if isinstance(context, str) and context:
        return context
    continuation = requests["continuation"].iloc[0]
    return continuation if isinstance(continuation, str) else ""


def _asked(session: Session, record: RunRecord, requests: pd.DataFrame, prompt: str, *, key: str) -> None:
    t = session.t
    st.markdown(f"**{escaped(t('Prompt'))}**")
    media(session, record, media_names(requests["settings"].iloc[0]))
    if prompt:
        text(session, in_words(prompt, t("picture or sound")), key=f"prompt {key}")
    choices = requests[requests["loglikelihood"].notna()]
    if len(choices):
        st.markdown(f"**{escaped(t('Choices'))}**")
        columns = ["share", "loglikelihood", "continuation", "is_greedy", "token_count"]
        shown_table(
            choices[columns].rename(columns={name: t(_COLUMNS[name]) for name in columns}), key=f"choices {key}"
        )
    said = requests.assign(invalid=session.reasons(requests, "invalid"))
    for number, row in enumerate(said.to_dict("records")):
        _answer(session, row, key=f"answer {key} {number}")


_COLUMNS = {
    "continuation": "continuation",
    "loglikelihood": "log-likelihood (nats)",
    "share": "share of the choices",
    "is_greedy": "greedy",
    "token_count": "tokens",
}


_STOPS = {
    "end": "Ended by itself after {tokens} tokens",
    "stop string": "Ended by a stop string after {tokens} tokens",
    "length": "Cut after {tokens} tokens",
}


def _answer(session: Session, row: dict[Any, Any], *, key: str) -> None:
    t = session.t
    if isinstance(row["raw_text"], str):
        st.markdown(f"**{escaped(t('All that was written, thoughts among it'))}**")
        text(session, row["raw_text"], key=f"{key} raw")
    if isinstance(row["text"], str):
        st.markdown(f"**{escaped(t('Answer'))}**")
        text(session, row["text"], key=key)
    if isinstance(row["stop"], str):
        st.caption(t(_STOPS[row["stop"]], tokens=row["token_count"]))
    if isinstance(row["invalid"], str):
        st.warning(escaped(row["invalid"], 300))


def _attributions(
    session: Session, record: RunRecord, query: SampleQuery, sample_id: str, requests: pd.DataFrame
) -> None:
    t = session.t
    known = record.attributions
    if known.empty:
        return
    mine = known[(known["suite"] == query.suite) & (known["task"] == query.task) & (known["sample_id"] == sample_id)]
    if mine.empty:
        return
    st.subheader(t("Attribution"))
    places, behind = st.columns(2), []
    for place, row in enumerate(mine.to_dict("records")):
        tokens, values = [str(one) for one in row["tokens"]], [float(one) for one in row["values"]]
        picture = partial(
            attribution_map, tokens, values, session.theme, t.code, target=str(row["target"]), method=str(row["method"])
        )
        with places[place % 2]:
            if not heat(session, record, requests, values, title=f"{row['method']}: {row['target']}"):
                drawing(session, picture, key=f"attribution {place}")
        behind += [
            {t("method"): row["method"], t("token"): token, t("attribution"): value}
            for token, value in zip(tokens, values, strict=True)
        ]
    with st.expander(t("Table")):
        shown_table(pd.DataFrame(behind))
