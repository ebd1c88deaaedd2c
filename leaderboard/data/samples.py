"""Single samples of a run, read from its Parquet files page by page: DuckDB reads the row groups and columns it needs.

facets(record)                              what can be asked for: tasks, metrics, groups, variants
samples_page(record, query, page, size)     one row a sample and score, filtered
page_of(record, query, sample_id, size)     the page that a sample is on
sample(record, suite, task, sample_id)      everything that was asked about one sample, and its scores
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from harness.core.errors import RecordError
from harness.decision.flips import meant, said
from harness.record import RunRecord
from harness.record.metrics import values_by_sample

__all__ = [
    "PAGE_SIZE",
    "Outcome",
    "SampleQuery",
    "SamplesPage",
    "ShownSample",
    "choices_of",
    "facets",
    "page_of",
    "sample",
    "samples_page",
]

PAGE_SIZE = 50
_PREVIEW = 400
"""Characters of a text in a list; `sample` has the whole."""

Outcome = Literal["right", "wrong", "partly", "invalid", "tie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuery:
    """Which samples of a run: of one task and metric, and as every filter that is set says.

    Without a suite and a task, all of them are searched; without a metric, each task counts by its first. `variant` is
    that of `facets` (such as `keyboard_typos 3`; empty for samples as they are), `group` is `attribute=value`.
    `outcome` reads the score: right is 1, wrong 0, partly anything between; `invalid` and `tie` as in `Score`.
    Confidence is the share of the likeliest choice (0 to 1), bounds included; samples without one are left out where a
    bound is set. `text` is searched for, as it is written but for upper and lower case, in ids, prompts, continuations,
    answers and labels.
    """

    suite: str | None = None
    task: str | None = None
    metric: str | None = None
    variant: str | None = None
    group: str | None = None
    outcome: Outcome | None = None
    confidence_low: float | None = None
    confidence_high: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPage:
    """`frame` has one row a score, in the order of the record: suite, task, metric, sample_id, variant, value, gold,
    predicted (of a choice the text, where they are its number), remark, tie, invalid, wording (what `invalid` is made
    of; None in older runs), groups (dict), confidence, prompt, answer (beginnings of the texts).

    `total` counts all that the query finds. Pages count from 0.
    """

    frame: pd.DataFrame
    total: int
    page: int
    size: int


def facets(record: RunRecord) -> pd.DataFrame:
    """One row a suite, task and metric of the run, in its order: suite, task, metric, count (of scores), variants and
    groups (sorted lists of what `SampleQuery` takes)."""
    query = f"""
        SELECT suite, task, metric, count(*) AS count, min(place) AS place,
               list_sort(list_distinct(list(variant))) AS variants,
               list_sort(list_distinct(flatten(list(
                   [entry.key || '=' || entry.value FOR entry IN map_entries(groups)])))) AS groups
        FROM ({_SCORED.format(**_files(record))})
        GROUP BY suite, task, metric ORDER BY place
    """
    found = _frame(record, query, {"suite": None, "task": None})
    for column in ("variants", "groups"):
        found[column] = [list(names) for names in found[column]]
    return found[["suite", "task", "metric", "count", "variants", "groups"]]


def samples_page(record: RunRecord, query: SampleQuery, page: int = 0, size: int = PAGE_SIZE) -> SamplesPage:
    """The page of the samples that the query finds. Raises `RecordError` for a record that can't be read."""
    found_by, values = _found(record, query)
    found = _frame(
        record,
        f"SELECT *, count(*) OVER () AS total FROM ({found_by}) ORDER BY place LIMIT $size OFFSET $skipped",
        {**values, "size": size, "skipped": page * size},
    )
    found["value"] = values_by_sample(found, record.metrics)
    total = int(found["total"].iloc[0]) if len(found) else _total_beyond(record, query, page)
    shown = _previews(record, query.suite, query.task, found["sample_id"])
    merged = found.merge(shown, on=list(_KEY), how="left")
    for label in ("gold", "predicted"):
        merged[label] = _in_words(merged, label)
    return SamplesPage(frame=merged[list(_PAGE_COLUMNS)], total=total, page=page, size=size)


def page_of(record: RunRecord, query: SampleQuery, sample_id: str, size: int = PAGE_SIZE) -> int | None:
    """The first page that the sample is on, counted from 0; None where the query doesn't find it."""
    found_by, values = _found(record, query)
    numbered = f"SELECT sample_id, row_number() OVER (ORDER BY place) AS turn FROM ({found_by})"
    found = _frame(
        record,
        f"SELECT min(turn) AS turn FROM ({numbered}) WHERE sample_id = $sample_id",
        {**values, "sample_id": sample_id},
    )
    turn = found["turn"].iloc[0]
    return None if pd.isna(turn) else (int(turn) - 1) // size


def _found(record: RunRecord, query: SampleQuery) -> tuple[str, dict[str, Any]]:
    """The rows that the query finds, in SQL, and the values of its parameters."""
    files = _files(record)
    conditions, bound = _conditions(query)
    needs_texts = bool(query.text or query.confidence_low is not None or query.confidence_high is not None)
    texts = f"LEFT JOIN ({_ASKED.format(**files, chosen='')}) AS asked USING ({', '.join(_KEY)})"
    found_by = f"""
        SELECT scored.*
        FROM (SELECT * FROM ({_SCORED.format(**files)}) WHERE metric = coalesce($metric, main)) AS scored
        {texts if needs_texts else ""}
        WHERE {" AND ".join(conditions) or "true"}
    """
    asked = {"suite": query.suite, "task": query.task, "metric": query.metric}
    return found_by, {**asked, **bound, **({"text": query.text} if needs_texts else {})}


_KEY = ("suite", "task", "sample_id", "variant")
_PAGE_COLUMNS = (
    *("suite", "task", "metric", "sample_id", "variant", "value", "gold", "predicted", "remark", "tie", "invalid"),
    *("wording", "groups", "confidence", "prompt", "answer"),
)


def _in_words(rows: pd.DataFrame, label: str) -> list[str | None]:
    """A column of labels, each as the text of the choice whose number it is."""
    return [
        said(name, [str(text) for text in choices] if isinstance(choices, np.ndarray) else [])
        if isinstance(name, str)
        else None
        for name, choices in zip(rows[label], rows["choices"], strict=True)
    ]


def choices_of(requests: pd.DataFrame, gold: str | None, predicted: str | None) -> pd.DataFrame:
    """The choices among some requests of one sample, in their order: the columns of `ShownSample.requests`, and
    is_gold and is_predicted. Empty where nothing was chosen among log-likelihoods."""
    found = requests[requests["loglikelihood"].notna() & requests["continuation"].notna()]
    texts = list(dict.fromkeys(found["continuation"]))
    marked = {}
    for name, label in (("is_gold", gold), ("is_predicted", predicted)):
        place = meant(label, texts)
        marked[name] = [place is not None and text == texts[place] for text in found["continuation"]]
    return found.assign(**marked)


_SCORED = """
    SELECT suite, task, metric, sample_id, value, weight, gold, predicted, {remark} AS remark, tie, invalid,
           {score_wording} AS wording, groups,
           file_row_number AS place,
           first(metric) OVER (PARTITION BY suite, task ORDER BY file_row_number) AS main,
           {right} AS right_value,
           CASE WHEN list_contains(map_keys(groups), 'perturbation')
                THEN groups['perturbation'] || ' ' || groups['severity'] ELSE '' END AS variant
    FROM read_parquet('{scores}', file_row_number = true)
    WHERE suite = coalesce($suite, suite) AND task = coalesce($task, task)
"""

_ASKED = f"""
    SELECT suite, task, sample_id, variant,
           CASE WHEN count(loglikelihood) > 1 AND count(loglikelihood) = count(*)
                THEN list(continuation ORDER BY position) END AS choices,
           CASE WHEN count(loglikelihood) > 1 AND count(loglikelihood) = count(*)
                THEN 1 / sum(exp(loglikelihood - highest)) END AS confidence,
           right(list_last(string_split(rtrim(first(context ORDER BY position)), chr(10) || chr(10))),
                 {_PREVIEW}) AS prompt,
           left(coalesce(first(text ORDER BY position), first(continuation ORDER BY -loglikelihood)),
                {_PREVIEW}) AS answer,
           bool_or(contains(lower(coalesce(context, '') || chr(10) || coalesce(continuation, '') || chr(10)
                                  || coalesce(text, '') || chr(10) || sample_id), lower($text))) AS has_text
    FROM (SELECT *, max(loglikelihood) OVER (PARTITION BY suite, task, sample_id, variant) AS highest
          FROM (SELECT suite, task, sample_id, position, context, continuation, text, loglikelihood,
                       coalesce({{variant}}, '') AS variant
                FROM read_parquet('{{responses}}')
                WHERE suite = coalesce($suite, suite) AND task = coalesce($task, task) {{chosen}}))
    GROUP BY suite, task, sample_id, variant
"""


def _conditions(query: SampleQuery) -> tuple[list[str], dict[str, Any]]:
    """What a row must fulfil, and the values of its parameters."""
    conditions: list[str] = []
    bound: dict[str, Any] = {}
    if query.variant is not None:
        conditions.append("variant = $variant")
        bound["variant"] = query.variant
    if query.group is not None:
        conditions.append("list_contains([entry.key || '=' || entry.value FOR entry IN map_entries(groups)], $group)")
        bound["group"] = query.group
    if query.outcome is not None:
        conditions.append(_OUTCOMES[query.outcome])
    if query.confidence_low is not None:
        conditions.append("confidence >= $low")
        bound["low"] = query.confidence_low
    if query.confidence_high is not None:
        conditions.append("confidence <= $high")
        bound["high"] = query.confidence_high
    if query.text:
        conditions.append("(has_text OR contains(lower(concat_ws(chr(10), sample_id, gold, predicted)), lower($text)))")
    return conditions, bound


_OUTCOMES: Mapping[Outcome, str] = {
    "right": "invalid IS NULL AND value / weight = right_value",
    "wrong": "invalid IS NULL AND value / weight = 1 - right_value",
    "partly": "invalid IS NULL AND right_value IS NOT NULL AND value / weight NOT IN (0, 1)",
    "invalid": "invalid IS NOT NULL",
    "tie": "tie",
}


def _total_beyond(record: RunRecord, query: SampleQuery, page: int) -> int:
    """How many rows there are, asked of a page that lies beyond the last one."""
    return samples_page(record, query, 0, 1).total if page else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSample:
    """All about one sample of a task.

    `requests` has one row a request, in the task's order: position, variant (how the sample was changed for it; empty
    for the sample as it is), kind, context, continuation, loglikelihood (nats), share (of the choices of the same
    variant, 0 to 1), is_greedy, text, raw_text, stop, label_scores, tags, token_count, invalid, wording (as in
    `SamplesPage`), settings (what else was asked, as JSON).
    `scores` has one row a score: metric, variant, value, gold, predicted, remark, tie, groups, invalid,
    wording.
    """

    requests: pd.DataFrame
    scores: pd.DataFrame


def sample(record: RunRecord, suite: str, task: str, sample_id: str) -> ShownSample:
    """One sample, with the whole of its texts. Both frames are empty where there is no such sample."""
    files = _files(record)
    asked = {"suite": suite, "task": task, "sample_id": sample_id}
    requests = _frame(record, _REQUESTS.format(**files), asked)
    scores = _frame(
        record,
        f"""SELECT suite, task, metric, variant, value, weight, gold, predicted, remark, tie, groups, invalid, wording
            FROM ({_SCORED.format(**files)} AND sample_id = $sample_id) ORDER BY place""",
        asked,
    )
    scores["value"] = values_by_sample(scores, record.metrics)
    return ShownSample(requests=requests, scores=scores.drop(columns=["suite", "task", "weight"]))


_REQUESTS = """
    SELECT position, variant, kind, context, continuation, loglikelihood,
           CASE WHEN count(loglikelihood) OVER same > 1 THEN weight / sum(weight) OVER same END AS share,
           is_greedy, text, {raw_text} AS raw_text, {stop} AS stop, label_scores, tags, token_count, invalid,
           {response_wording} AS wording, {settings} AS settings
    FROM (SELECT *, exp(loglikelihood - max(loglikelihood) OVER (PARTITION BY variant)) AS weight
          FROM (SELECT * EXCLUDE (variant), coalesce(variant, '') AS variant
                FROM (SELECT {variant} AS variant, * {without} FROM read_parquet('{responses}'))
                WHERE suite = $suite AND task = $task AND sample_id = $sample_id))
    WINDOW same AS (PARTITION BY variant)
    ORDER BY position
"""


def _previews(record: RunRecord, suite: str | None, task: str | None, ids: pd.Series) -> pd.DataFrame:
    """Short pieces of the texts of these samples, and their choices, one row a variant."""
    return _frame(
        record,
        _ASKED.format(**_files(record), chosen="AND list_contains($ids, sample_id)"),
        {"suite": suite, "task": task, "ids": ids.drop_duplicates().tolist(), "text": ""},
    )


def _files(record: RunRecord) -> dict[str, str]:
    """Parts of a query: the files of the run, and columns that older runs don't have."""
    scores, responses = (record.folder / f"{name}.parquet" for name in ("scores", "responses"))
    of_scores, of_responses = map(_columns, (scores, responses))
    return {
        "scores": _quoted(scores),
        "responses": _quoted(responses),
        "variant": "variant" if "variant" in of_responses else _ABSENT,
        "without": "EXCLUDE (variant)" if "variant" in of_responses else "",
        "score_wording": "wording" if "wording" in of_scores else _ABSENT,
        "remark": "remark" if "remark" in of_scores else _ABSENT,
        "right": _right_values(record),
        "response_wording": "wording" if "wording" in of_responses else _ABSENT,
        **{name: name if name in of_responses else _ABSENT for name in ("raw_text", "stop", "settings")},
    }


def _right_values(record: RunRecord) -> str:
    """What a right sample scores, in SQL."""
    found: dict[str, list[str]] = {"0": [], "NULL": []}
    for key, recorded in record.metrics.items():
        if recorded.right_value != 1:
            found["0" if recorded.right_value == 0 else "NULL"].append("/".join(key))
    cases = [
        f"WHEN concat_ws('/', suite, task, metric) IN ({', '.join(map(_literal, keys))}) THEN {right}"
        for right, keys in found.items()
        if keys
    ]
    return f"CASE {' '.join(cases)} ELSE 1 END" if cases else "1"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_ABSENT = "NULL::VARCHAR"


def _columns(path: Path) -> Sequence[str]:
    try:
        names: list[str] = pq.read_schema(path).names
    except (OSError, pa.ArrowException) as error:
        raise RecordError("can't be read", place=path) from error
    return names


def _quoted(path: Path) -> str:
    """A path inside a query's quotes, none of whose characters is a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.absolute())).replace("'", "''")


def _frame(record: RunRecord, query: str, values: Mapping[str, Any]) -> pd.DataFrame:
    """What DuckDB answers, absent texts as None. Raises `RecordError`."""
    with closing(duckdb.connect(config={"autoinstall_known_extensions": False})) as connection:
        try:
            found: pd.DataFrame = connection.execute(query, dict(values)).df()
        except duckdb.Error as error:
            raise RecordError(f"can't be read ({str(error).splitlines()[0]})", place=record.folder) from error
    return found
