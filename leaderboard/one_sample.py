"""A single sample, shown whole: what was expected and what came, what was asked, and how it was scored."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from harness.charts import attribution_map
from harness.core.text.display import elided, number
from harness.decision.flips import said
from harness.record import RunRecord
from harness.record.media import media_names
from leaderboard.address import choose_one
from leaderboard.data.samples import choices_of, sample
from leaderboard.marks import marked
from leaderboard.media import heat, in_words, media
from leaderboard.parts import drawing, shown_table, text, titled_table
from leaderboard.session import Session
from leaderboard.words import escaped

__all__ = ["SampleKey", "one_sample"]

_CLEAN = "as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleKey:
    """One sample of a run, and the metric by which it is looked at."""

    suite: str
    task: str
    metric: str
    sample_id: str


def one_sample(session: Session, record: RunRecord, key: SampleKey) -> None:
    """What was expected and what came, what was asked, every choice and answer, every score."""
    t = session.t
    found = sample(record, key.suite, key.task, key.sample_id)
    requests = found.requests
    st.subheader(t("Sample {id}", id=escaped(key.sample_id)))
    if requests.empty:
        st.info(t("This run has no such sample."))
        return
    labels = _labels(found.scores, key.metric)
    _outcome(session, labels, requests, _right_value(record, key))
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
                shown = _Shown(situations[name], prompt, labels)
                _asked(session, record, shown, key=f"{name} {place is columns[0]}")
    else:
        only = next(iter(situations.values()))
        _asked(session, record, _Shown(only, _prompt(only), labels), key="only")
    st.markdown(f"**{escaped(t('Scores'))}**")
    scores = found.scores.assign(invalid=session.reasons(found.scores, "invalid")).drop(columns="wording")
    for label in _LABELS:
        scores[label] = [said(one, _texts(requests)) if isinstance(one, str) else None for one in scores[label]]
    scores = scores.replace("", None).dropna(axis="columns", how="all")
    if "groups" in scores:
        scores = scores.assign(
            groups=[", ".join(f"{name}={value}" for name, value in dict(one or {}).items()) for one in scores["groups"]]
        )
    told = [name for name in scores if any(pd.notna(one) and one not in ("", False) for one in scores[name])]
    scores = scores[[name for name in scores if name in told or name == "value"]]
    titled_table(session, scores, key="scores of one")
    _attributions(session, record, key, requests)


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


@dataclass(frozen=True, slots=True)
class _Shown:
    """Requests that asked the same of the model, their prompt, and the sample's labels."""

    requests: pd.DataFrame
    prompt: str
    labels: pd.DataFrame


def _labels(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Of each variant the score that says what was expected and what came: the metric's, else the first that does."""
    first = scores.assign(other=scores["metric"] != metric, bare=scores["gold"].isna() & scores["predicted"].isna())
    return first.sort_values(["bare", "other"], kind="stable").drop_duplicates("variant")


def _label(labels: pd.DataFrame, column: str, variant: str = "") -> str | None:
    """What a score says was expected or came, of a variant, else of the sample as it is."""
    for wanted in (variant, ""):
        told = labels.loc[labels["variant"] == wanted, column]
        if len(told) and isinstance(told.iloc[0], str):
            return str(told.iloc[0])
    return None


def _right_value(record: RunRecord, key: SampleKey) -> float | None:
    """What a right sample scores; None where none is right, or nothing is known of the metric."""
    recorded = record.metrics.get((key.suite, key.task, key.metric))
    return recorded.right_value if recorded else None


_LABELS = {"gold": "Reference answer", "predicted": "Model's answer"}


def _texts(requests: pd.DataFrame) -> list[str]:
    """What there was to choose from."""
    return list(dict.fromkeys(requests.loc[requests["loglikelihood"].notna(), "continuation"].dropna()))


def _outcome(session: Session, labels: pd.DataFrame, requests: pd.DataFrame, right: float | None) -> None:
    """What was expected and what came, as texts side by side, and whether that counts as right."""
    t = session.t
    own = labels[labels["variant"] == ""]
    first = own.iloc[0] if len(own) else labels.iloc[0] if len(labels) else None
    if first is None:
        return
    texts = _texts(requests)
    shown = [(t(title), said(_label(labels, name), texts)) for name, title in _LABELS.items()]
    known = [(title, content) for title, content in shown if content]
    for (title, content), place in zip(known, st.columns(max(len(known), 1)), strict=False):
        with place:
            st.markdown(f"**{escaped(title)}**")
            text(session, content, key=f"outcome {title}")
    if pd.notna(first["value"]):
        marks = {} if right is None else {right: f"✓ {t('right')}", 1.0 - right: f"✗ {t('wrong')}"}
        value = float(first["value"])
        st.markdown(f"{escaped(t(first['metric']))}: **{escaped(marks.get(value, number(value)))}**")


def _asked(session: Session, record: RunRecord, shown: _Shown, *, key: str) -> None:
    t, requests = session.t, shown.requests
    st.markdown(f"**{escaped(t('Prompt'))}**")
    media(session, record, media_names(requests["settings"].iloc[0]))
    if shown.prompt:
        text(session, in_words(shown.prompt, t("picture or sound")), key=f"prompt {key}")
    variant = str(requests["variant"].iloc[0])
    gold, predicted = (_label(shown.labels, name, variant) for name in ("gold", "predicted"))
    choices = choices_of(requests, gold, predicted)
    if len(choices):
        st.markdown(f"**{escaped(t('Choices'))}**")
        marks = {(True, True): f"✓ {t('reference answer, chosen')}", (True, False): f"✓ {t('reference answer')}"}
        marks |= {(False, True): f"✗ {t('chosen')}" if gold else f"• {t('chosen')}", (False, False): ""}
        told = [marks[pair] for pair in zip(choices["is_gold"], choices["is_predicted"], strict=True)]
        columns = ["mark", *_COLUMNS] if any(told) else list(_COLUMNS)
        titles = {"mark": " ", **{name: t(title) for name, title in _COLUMNS.items()}}
        shown_table(choices.assign(mark=told)[columns].rename(columns=titles), key=f"choices {key}")
    answers = requests.assign(invalid=session.reasons(requests, "invalid"))
    for place, row in enumerate(answers.to_dict("records")):
        _answer(session, row, key=f"answer {key} {place}")


_COLUMNS = {
    "continuation": "continuation",
    "share": "share of the choices",
    "loglikelihood": "log-likelihood (nats)",
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


def _attributions(session: Session, record: RunRecord, key: SampleKey, requests: pd.DataFrame) -> None:
    t = session.t
    known = record.attributions
    if known.empty:
        return
    mine = known[(known["suite"] == key.suite) & (known["task"] == key.task) & (known["sample_id"] == key.sample_id)]
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
