"""The samples of a run in pieces that a page loads when it needs them: scripts, for a file may not read another.

A sample is what `_sample` says. Its texts are made visible here, once, so that a page can put them in as they are.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from harness.core.headlines import made_of, main_rows
from harness.core.media import OBJECT
from harness.core.text.display import visible
from harness.decision.flips import meant
from harness.record import RunRecord
from harness.record.media import media_names
from harness.record.metrics import values_by_sample
from leaderboard.export.tongue import Tongue

__all__ = ["TaskSamples", "samples_by_task"]

MOST_SAMPLES = 250
MOST_LETTERS = 1 << 20
"""Of a piece: whichever is reached first ends it."""

_ASKED = (
    *("suite", "task", "sample_id", "position", "variant", "context", "continuation", "settings", "loglikelihood"),
    *("text", "raw_text", "stop", "label_scores", "tags", "token_count", "invalid", "wording"),
)
"""Columns of the requests that are shown; those of single tokens are wide."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSamples:
    """The samples of a task, in the order of the record: `pieces` of them, as the page takes them.

    `metric` is the one that says which samples are right; None where none has a value for single samples. `counts` says
    how many are right, wrong, partly so, invalid or ties. `media` are the names of their pictures and sounds.
    """

    suite: str
    task: str
    metric: str | None
    counts: Mapping[str, int]
    pieces: Sequence[Sequence[Json]]
    media: Sequence[str]


def samples_by_task(record: RunRecord, tongues: Sequence[Tongue]) -> Iterator[TaskSamples]:
    """The samples of each task of a record that can be read; reasons in each of the languages."""
    asked, scored, explained = record.samples, record.scores, record.attributions
    scored = scored.assign(value=values_by_sample(scored, record.metrics))
    asked = asked[[name for name in _ASKED if name in asked]]
    entering = made_of(one for one in record.estimate_list if one.is_headline)
    single = [one for one in record.estimate_list if not one.is_headline and one.group is None]
    of_task = asked[["suite", "task"]].drop_duplicates()
    for suite, task in of_task.itertuples(index=False, name=None):
        requests, scores, attributions = (_of(frame, suite, task) for frame in (asked, scored, explained))
        known = set(scores.loc[scores["value"].notna(), "metric"])
        mains = main_rows([one for one in single if (one.suite, one.task) == (suite, task)], entering)
        named = [one.metric for one in (*mains, *single) if (one.suite, one.task) == (suite, task)]
        metric = next((one for one in named if one in known), None)
        right = {name: one.right_value for (*place, name), one in record.metrics.items() if place == [suite, task]}
        told = _Told(tongues, metric, right)
        by_id = [told.by_sample(frame) for frame in (scores, attributions)]
        made = [
            told.sample(sample_id, rows, *(one.get(sample_id, []) for one in by_id))
            for sample_id, rows in told.by_sample(requests).items()
        ]
        yield TaskSamples(
            suite=suite,
            task=task,
            metric=metric,
            counts=_counts(made),
            pieces=list(_pieces(made)),
            media=list(dict.fromkeys(name for one in made for asked in one["asked"] for name in asked["media"])),
        )


def _of(frame: pd.DataFrame, suite: str, task: str) -> pd.DataFrame:
    return frame[(frame["suite"] == suite) & (frame["task"] == task)]


def _counts(made: Iterable[Json]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in made:
        for outcome in one["outcome"]:
            counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def _pieces(made: Sequence[Json]) -> Iterator[list[Json]]:
    piece: list[Json] = []
    letters = 0
    for one in made:
        size = sum(len(asked["prompt"]) for asked in one["asked"]) + 500
        if piece and (len(piece) >= MOST_SAMPLES or letters + size > MOST_LETTERS):
            yield piece
            piece, letters = [], 0
        piece.append(one)
        letters += size
    if piece:
        yield piece


class _Told:
    """How the samples of a task are told."""

    def __init__(self, tongues: Sequence[Tongue], metric: str | None, right: Mapping[str, float | None]) -> None:
        self._tongues = tongues
        self._metric = metric
        self._right = right

    def by_sample(self, frame: pd.DataFrame) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {}
        for row in frame.to_dict("records"):
            found.setdefault(str(row["sample_id"]), []).append({str(name): value for name, value in row.items()})
        return found

    def sample(self, sample_id: str, rows: list[Json], scores: list[Json], attributions: list[Json]) -> Json:
        """Its id, the outcomes of the task's metric, what was asked in each situation, scores, what explains it."""
        rows = sorted(rows, key=lambda row: int(row["position"]))
        told = [self._score(row) for row in scores]
        labels: dict[str, tuple[str, str]] = {}
        for one in told:
            if one["gold"] or one["predicted"]:
                labels.setdefault(one["variant"], (one["gold"], one["predicted"]))
        asked = [
            self._situation(variant, list(same), labels.get(variant) or labels.get("", ("", "")))
            for (variant, _, _), same in groupby(sorted(rows, key=_turns(rows)), key=_situation_of)
        ]
        explained = [
            {
                "method": _text(row["method"]),
                "target": _text(row["target"]),
                "tokens": list(map(_text, row["tokens"])),
                "values": [_float(one) for one in row["values"]],
            }
            for row in attributions
        ]
        outcomes = {outcome for one in told if one["metric"] == self._metric for outcome in one["outcome"]}
        made = {"id": _text(sample_id), "outcome": sorted(outcomes), "asked": asked, "scores": told}
        return {**made, "explained": explained} if explained else made

    def _situation(self, variant: str, rows: Sequence[Json], labels: tuple[str, str]) -> Json:
        """What was shown to the model once, the choices by their log-likelihood, and what it wrote.

        Of choices, `gold` is the right one and `taken` the model's.
        """
        choices = [row for row in rows if _float(row["loglikelihood"]) is not None]
        context = _text(rows[0]["context"]).replace(OBJECT, "▣")
        likeliest = max((row["loglikelihood"] for row in choices), default=0.0)
        weights = [math.exp(row["loglikelihood"] - likeliest) for row in choices]
        several = len(choices) > 1
        offered = [_raw(row["continuation"]) for row in choices]
        gold, taken = (meant(label, offered) if several and label else None for label in labels)
        return {
            "variant": _text(variant),
            "media": media_names(rows[0].get("settings")),
            "prompt": context,
            "gold": labels[0] if gold is None else "",
            "predicted": labels[1] if taken is None else "",
            "choices": [
                {
                    "text": _text(row["continuation"]),
                    "nats": _float(row["loglikelihood"]),
                    "share": weight / sum(weights) if several else None,
                    "tokens": _whole(row["token_count"]),
                    "gold": gold == place,
                    "taken": taken == place,
                }
                for place, (row, weight) in enumerate(zip(choices, weights, strict=True))
            ],
            "answers": [found for row in rows if (found := self._answer(row))],
        }

    def _answer(self, row: Json) -> Json | None:
        text, raw = _text(row["text"]), _text(row.get("raw_text"))
        labels = "\n".join(f"{label}: {score:.4g}" for label, score in _pairs(row.get("label_scores")))
        tags = row.get("tags")
        listed = " ".join(map(str, tags)) if tags is not None and not isinstance(tags, float) and len(tags) else ""
        invalid = self._reasons(row)
        if not (text or raw or labels or listed or invalid):
            return None
        return {
            "text": text or _text(labels or listed),
            "raw": raw if raw != text else "",
            "stop": _text(row.get("stop")),
            "tokens": _whole(row["token_count"]),
            "invalid": invalid,
        }

    def _score(self, row: Json) -> Json:
        groups = dict(_pairs(row.get("groups")))
        variant = f"{groups['perturbation']} {groups.get('severity', '')}" if "perturbation" in groups else ""
        value, invalid = _float(row["value"]), self._reasons(row)
        return {
            "metric": _text(row["metric"]),
            "variant": _text(variant),
            "value": value,
            "gold": _text(row["gold"]),
            "predicted": _text(row["predicted"]),
            "remark": _text(row.get("remark")),
            "groups": _text(", ".join(f"{name}={group}" for name, group in groups.items())),
            "invalid": invalid,
            "outcome": _outcomes(value, bool(invalid), bool(row["tie"]), self._right.get(row["metric"], 1.0)),
        }

    def _reasons(self, row: Json) -> Sequence[str]:
        """Why it can't be used, in each language; nothing where it can."""
        if not isinstance(row["invalid"], str):
            return []
        return [visible(one.reason(row["invalid"], row.get("wording"))) for one in self._tongues]


def _outcomes(value: float | None, is_invalid: bool, is_tie: bool, right: float | None) -> list[str]:
    """`right` is what a right sample scores; None where none is right."""
    if is_invalid:
        return ["invalid"]
    if value is None or right is None:
        return ["tie"] if is_tie else []
    kind = {right: "right", 1.0 - right: "wrong"}.get(value, "partly")
    return [kind, "tie"] if is_tie else [kind]


def _situation_of(row: Json) -> tuple[str, str, tuple[str, ...]]:
    """What was shown to the model: the variant, the prompt, the pictures and sounds."""
    return _raw(row.get("variant")), _raw(row["context"]), tuple(media_names(row.get("settings")))


def _turns(rows: Iterable[Json]) -> Any:
    order = {one: place for place, one in enumerate(dict.fromkeys(map(_situation_of, rows)))}
    return lambda row: order[_situation_of(row)]


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """A map of a table, which is a list of pairs, or none."""
    if isinstance(value, Mapping):
        return list(value.items())
    return [tuple(one) for one in value] if value is not None and not isinstance(value, float) else []


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return visible(value) if isinstance(value, str) else ""


def _float(value: Any) -> float | None:
    return None if value is None or pd.isna(value) or not math.isfinite(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)
