"""From a row of `responses.parquet` back to the request that it tells of, so that it can be asked again."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from harness.core.errors import RecordError
from harness.core.requests import (
    Attribute,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    PseudoLoglikelihood,
    Request,
    Tag,
    TokenLoglikelihoods,
)
from harness.core.text.hashing import canonical_json

__all__ = ["request_of", "settings_of"]

_COLUMNS: Mapping[type[Request], Mapping[str, str]] = {
    Loglikelihood: {"context": "context", "continuation": "continuation"},
    LoglikelihoodRolling: {"text": "continuation"},
    TokenLoglikelihoods: {"text": "continuation"},
    PseudoLoglikelihood: {"text": "continuation"},
    GenerateUntil: {"context": "context"},
    Classify: {"text": "context", "text_pair": "continuation"},
    Embed: {"text": "context"},
    Tag: {},
    Attribute: {"context": "context"},
}
"""Which fields of a request stand as they are in a column of their own; all others are in `settings`."""
_KINDS = {made_by.kind: (made_by, TypeAdapter[Request](made_by)) for made_by in _COLUMNS}


def settings_of(request: Request) -> str | None:
    """What a request says besides its texts, as canonical JSON; None where that is nothing."""
    shown = _COLUMNS[type(request)]
    fields = {name: value for name, value in asdict(request).items() if name not in shown}
    return canonical_json(fields).decode() if fields else None


def request_of(row: Mapping[str, Any]) -> Request:
    """The request of a row of `responses.parquet`.

    Raises `RecordError` where the row doesn't hold it whole, or holds another than its id was made from.
    """
    place = f"{row['suite']}/{row['task']}/{row['sample_id']}"
    if "settings" not in row or row["kind"] not in _KINDS:
        raise RecordError(
            "its row doesn't hold the whole request", place=place, fix="Run the evaluation anew with this version"
        )
    made_by, adapter = _KINDS[row["kind"]]
    shown = {field: row[column] for field, column in _COLUMNS[made_by].items()}
    try:
        settings = json.loads(row["settings"] or "{}")
        request = adapter.validate_python({**settings, **shown})
    except (ValueError, TypeError) as error:
        raise RecordError("its row holds no request", place=place) from error
    if request.id != row["request_id"]:
        raise RecordError("its request is not the one that its id was made from", place=place)
    return request
