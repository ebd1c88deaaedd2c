"""Per-sample tables as Parquet, with a fixed schema and the same bytes for the same rows."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from harness.core.requests import Attribute, Request, Response
from harness.core.scores import Score
from harness.core.text.reasons import worded
from harness.core.text.values import field_values
from harness.record.codec import request_columns

__all__ = [
    "SCHEMAS",
    "as_recorded",
    "attribution_rows",
    "attribution_table",
    "attributions_of",
    "response_row",
    "response_table",
    "score_row",
    "score_table",
]

_SCORES = pa.schema(
    [
        ("suite", pa.string()),
        ("task", pa.string()),
        ("sample_id", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("weight", pa.float64()),
        ("gold", pa.string()),
        ("predicted", pa.string()),
        ("remark", pa.string()),
        ("tie", pa.bool_()),
        ("cluster", pa.string()),
        ("groups", pa.map_(pa.string(), pa.string())),
        ("truncated", pa.bool_()),
        ("invalid", pa.string()),
        ("wording", pa.string()),
    ]
)
_RESPONSES = pa.schema(
    [
        ("suite", pa.string()),
        ("task", pa.string()),
        ("sample_id", pa.string()),
        ("position", pa.int32()),
        ("variant", pa.string()),
        ("request_id", pa.string()),
        ("kind", pa.string()),
        ("context", pa.string()),
        ("continuation", pa.string()),
        ("settings", pa.string()),
        ("loglikelihood", pa.float64()),
        ("is_greedy", pa.bool_()),
        ("text", pa.string()),
        ("raw_text", pa.string()),
        ("stop", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("label_scores", pa.map_(pa.string(), pa.float64())),
        ("tags", pa.list_(pa.string())),
        ("vector", pa.list_(pa.float32())),
        ("token_loglikelihoods", pa.list_(pa.float64())),
        ("token_z_scores", pa.list_(pa.float64())),
        ("token_is_greedy", pa.list_(pa.bool_())),
        ("token_divergences", pa.list_(pa.float64())),
        ("token_reference_loglikelihoods", pa.list_(pa.float64())),
        ("token_agrees", pa.list_(pa.bool_())),
        ("token_ends", pa.list_(pa.int32())),
        ("token_count", pa.int32()),
        ("thinking_token_count", pa.int32()),
        ("context_token_count", pa.int32()),
        ("unread_character_count", pa.int32()),
        ("invalid", pa.string()),
        ("wording", pa.string()),
    ]
)

_ATTRIBUTIONS = pa.schema(
    [
        ("suite", pa.string()),
        ("task", pa.string()),
        ("sample_id", pa.string()),
        ("method", pa.string()),
        ("target", pa.string()),
        ("probability", pa.float64()),
        ("empty_probability", pa.float64()),
        ("tokens", pa.list_(pa.string())),
        ("values", pa.list_(pa.float64())),
        ("fractions", pa.list_(pa.float64())),
        ("deletion", pa.list_(pa.float64())),
        ("insertion", pa.list_(pa.float64())),
    ]
)


SCHEMAS = {"responses": _RESPONSES, "scores": _SCORES, "attributions": _ATTRIBUTIONS}
"""What each table of a run holds, by the name of its file; those of earlier versions lack columns."""


def score_row(suite: str, task: str, score: Score) -> dict[str, Any]:
    """A row of `scores.parquet`; its `wording` is what `invalid` is made of (see `worded`)."""
    return {"suite": suite, "task": task, **field_values(score), "wording": worded(score.invalid)}


def response_row(
    suite: str, task: str, sample_id: str, position: int, request: Request, response: Response, variant: str = ""
) -> dict[str, Any]:
    """A row of `responses.parquet`: the request at `position` of a sample, and its answer.

    `variant` says how the sample was changed for it (see `Task.variant`); there is none for the sample as it is. What
    is said of the request is as in `request_columns`, so that `request_of` finds the whole of it again. `wording` is
    as in `score_row`.
    """
    return {
        "suite": suite,
        "task": task,
        "sample_id": sample_id,
        "position": position,
        "variant": variant or None,
        **request_columns(request),
        **field_values(response),
        "wording": worded(response.invalid),
    }


def attributions_of(
    suite: str, task: str, sample_id: str, _position: int, request: Request, response: Response
) -> list[dict[str, Any]]:
    """The rows of `attributions.parquet` that an answer gives: one a method, none where it explains nothing."""
    found = response.attribution
    if found is None or not isinstance(request, Attribute):
        return []
    return [
        {
            "suite": suite,
            "task": task,
            "sample_id": sample_id,
            "method": method.name,
            "target": found.target,
            "probability": found.probability,
            "empty_probability": found.empty_probability,
            "tokens": list(found.units),
            "values": list(method.values),
            "fractions": list(request.settings.fractions),
            "deletion": list(method.deletion),
            "insertion": list(method.insertion),
        }
        for method in found.methods
    ]


def score_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The content of `scores.parquet`, of rows made by `score_row`. Raises `ValueError` for other values."""
    return _parquet(rows, _SCORES)


def response_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The content of `responses.parquet`, of rows made by `response_row`. Raises as `score_table` does."""
    return _parquet(rows, _RESPONSES)


def attribution_table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The content of `attributions.parquet`, of rows made by `attributions_of`. Raises as `score_table`."""
    return _parquet(rows, _ATTRIBUTIONS)


def attribution_rows(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows made by `attributions_of` as a table; its columns alone where there are none."""
    return pa.Table.from_pylist(list(rows), schema=_ATTRIBUTIONS)


def as_recorded(table: Literal["responses", "scores"], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows made by `response_row` or `score_row` as they are read from the table again."""
    read: list[dict[str, Any]] = pa.Table.from_pylist(list(rows), schema=SCHEMAS[table]).to_pylist()
    return read


def _parquet(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist(list(rows), schema=schema), buffer, compression="zstd", write_page_checksum=True
    )
    return buffer.getvalue()
