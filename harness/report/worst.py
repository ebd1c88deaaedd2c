"""The samples on which a model did worst, so that a reader sees what a low score looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from harness.core.headlines import made_of, main_rows
from harness.core.reports.installed import suite_report
from harness.core.scores import Estimate
from harness.decision.flips import meant, said
from harness.record.media import media_names
from harness.report.context import ReportContext

__all__ = ["WorstSample", "worst_samples"]

MOST_LETTERS = 600
"""Of a prompt, its end: the question stands there, behind the exemplars."""

MOST_CHOICES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedChoice:
    """One of several answers that a model weighed, with its log-likelihood."""

    text: str
    loglikelihood: float
    answered: bool
    expected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstSample:
    """One sample with the end of its prompt, and its answer beside the expected one; empty where there is none.

    Where it chose among likelihoods, `choices` are the likeliest of them. `media` are the names of the pictures and
    sounds that it was asked about.
    """

    task: str
    sample_id: str
    metric: str
    value: float
    prompt: str
    answer: str
    gold: str
    choices: Sequence[WeighedChoice] = ()
    media: Sequence[str] = ()


def worst_samples(context: ReportContext, suite: str, most: int = 2) -> list[WorstSample]:
    """The worst sample of each of the suite's first `most` tasks, by the task's main metric if it has a value a sample.

    Else by the first metric that has. Of equally bad ones the surest is taken: the one whose answer was the furthest
    ahead of the next, or else the first by id. None of a metric without a direction: where a target is best, single
    samples are neither good nor bad.
    """
    if not suite_report(suite).samples_are_its_own:
        return []
    table = context.scores
    valued = table[table["value"].notna() & (table["suite"] == suite)]
    told = set(zip(valued["task"], valued["metric"], strict=True))
    scored = [
        one
        for one in context.estimates
        if one.suite == suite and one.group is None and one.direction and (one.task, one.metric) in told
    ]
    metrics = main_rows(scored, made_of(one for one in context.estimates if one.is_headline))
    found = (sample for one in metrics if one.value is not None and (sample := _worst(context, one)) is not None)
    return list(islice(found, most))


def _worst(context: ReportContext, metric: Estimate) -> WorstSample | None:
    scored = context.scores
    rows = scored[
        (scored["suite"] == metric.suite) & (scored["task"] == metric.task) & (scored["metric"] == metric.metric)
    ]
    rows = rows[rows["value"].notna() & rows["invalid"].isna()]
    extreme = rows["value"].min() if metric.direction == "higher" else rows["value"].max()
    if rows.empty or (metric.direction == "lower" and extreme == 0):
        return None  # what should not happen never did
    candidates = rows[rows["value"] == extreme]
    asked = context.samples
    asked = asked[(asked["suite"] == metric.suite) & (asked["task"] == metric.task)]
    asked = asked[asked["sample_id"].isin(candidates["sample_id"])]
    if asked.empty:
        return None
    sample_id = _surest(asked)
    mine = asked[asked["sample_id"] == sample_id].sort_values("position")
    row = candidates[candidates["sample_id"] == sample_id].iloc[0]
    answer = row["predicted"] if isinstance(row["predicted"], str) else _text(mine)
    choices = [text for text in mine["continuation"] if isinstance(text, str)]
    gold = row["gold"] if isinstance(row["gold"], str) else ""
    return WorstSample(
        task=metric.task,
        sample_id=sample_id,
        metric=metric.metric,
        value=float(row["value"]),
        prompt=_end(mine),
        answer=_written(mine, said(answer, choices) or ""),
        gold=said(gold, choices) or "",
        choices=_choices(mine, answer, gold),
        media=media_names(mine["settings"].iloc[0]) if "settings" in mine else (),
    )


def _choices(mine: pd.DataFrame, answer: str, gold: str) -> list[WeighedChoice]:
    """The likeliest choices; none where the sample was no choice, or where its labels name no choice of it."""
    if mine["loglikelihood"].isna().any() or mine["continuation"].isna().any():
        return []
    # Noisy variants of a sample stand behind it, and ask the same choices again.
    contexts = mine["context"].fillna("")
    weighed = mine[contexts == contexts.iloc[0]].drop_duplicates("continuation")
    if len(weighed) < 2:
        return []
    texts = list(weighed["continuation"])
    answered, expected = (meant(label, texts) for label in (answer, gold))
    found = [
        WeighedChoice(
            text=str(text).strip(),
            loglikelihood=float(loglikelihood),
            answered=place == answered,
            expected=place == expected,
        )
        for place, (text, loglikelihood) in enumerate(
            zip(weighed["continuation"], weighed["loglikelihood"], strict=True)
        )
    ]
    ranked = sorted(found, key=lambda one: -one.loglikelihood)
    return [one for place, one in enumerate(ranked) if place < MOST_CHOICES or one.answered or one.expected]


def _written(mine: pd.DataFrame, label: str) -> str:
    """The label that a rule gave an answer, with the answer's own words where it wrote any."""
    text, label = (" ".join(said.split()) for said in (_text(mine), label))
    if not text or text == label:
        return label
    shown = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]} …"
    return f"{shown} ({label})" if label and label not in text and label[:MOST_LETTERS] not in text else shown


def _surest(asked: pd.DataFrame) -> str:
    """The sample whose likeliest answer is the furthest ahead of the next; the first by id without likelihoods."""
    likelihoods = asked.dropna(subset=["loglikelihood"]).sort_values("sample_id")
    spread = likelihoods.groupby("sample_id")["loglikelihood"].apply(
        lambda one: one.nlargest(2).diff().abs().sum() if len(one) > 1 else 0.0
    )
    return str(spread.idxmax()) if len(spread) else str(asked["sample_id"].min())


def _end(mine: pd.DataFrame) -> str:
    text = next((text for name in ("context", "continuation") for text in mine[name] if isinstance(text, str)), "")
    return text if len(text) <= MOST_LETTERS else f"… {text[-MOST_LETTERS:]}"


def _text(mine: pd.DataFrame) -> str:
    return next((text for text in mine["text"] if isinstance(text, str)), "")
