"""The one place where requests, responses and windows become what a record holds, and become themselves."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.errors import RecordError
from harness.core.meters import Window
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import (
    Attribute,
    AttributePicture,
    AttributeSound,
    AudioGenerateUntil,
    AudioLoglikelihood,
    Classify,
    Embed,
    GenerateUntil,
    Loglikelihood,
    LoglikelihoodRolling,
    MatchTexts,
    MultimodalGenerateUntil,
    MultimodalLoglikelihood,
    PseudoLoglikelihood,
    Request,
    Response,
    Tag,
    TokenLoglikelihoods,
    Transcribe,
)
from harness.core.text.codec import REASON, Codec, Form
from harness.core.text.hashing import canonical_json
from harness.core.text.values import field_values
from harness.core.training.requests import TunedLoglikelihood

__all__ = ["RESPONSES", "WINDOWS", "request_columns", "request_of"]

# RFC 8785 sorts keys, so the labels' order is kept as a list of pairs.
RESPONSES = Codec(
    Response, label_scores=Form(lambda scores: [list(pair) for pair in scores.items()], dict), invalid=REASON
)
WINDOWS = Codec(Window, reason=REASON)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How requests of a class stand in a row of `responses.parquet`.

    `columns` name the field that each column holds as it is; all other fields are in `settings`. `shown` makes what
    else stands in a column, for people alone.
    """

    codec: Codec[Any]
    columns: Mapping[str, str]
    shown: Mapping[str, Callable[[Any], str | None]] = field(default_factory=dict)


def _decided(asked: Attribute) -> str | None:
    return asked.text_pair or " |".join(asked.continuations) or None


_CONTEXT, _TEXT = {"context": "context"}, {"continuation": "text"}
_PAIR = {**_CONTEXT, "continuation": "continuation"}
_KINDS: Mapping[type[Request], _Kind] = {
    Loglikelihood: _Kind(Codec(Loglikelihood), _PAIR),
    ReferenceLoglikelihood: _Kind(Codec(ReferenceLoglikelihood), _PAIR),
    TunedLoglikelihood: _Kind(Codec(TunedLoglikelihood), _PAIR),
    MultimodalLoglikelihood: _Kind(Codec(MultimodalLoglikelihood), _PAIR),
    MultimodalGenerateUntil: _Kind(Codec(MultimodalGenerateUntil), _CONTEXT),
    AudioLoglikelihood: _Kind(Codec(AudioLoglikelihood), _PAIR),
    AudioGenerateUntil: _Kind(Codec(AudioGenerateUntil), _CONTEXT),
    Transcribe: _Kind(Codec(Transcribe), {"continuation": "reference"}),
    MatchTexts: _Kind(Codec(MatchTexts), {}, {"continuation": lambda asked: " |".join(asked.texts)}),
    LoglikelihoodRolling: _Kind(Codec(LoglikelihoodRolling), _TEXT),
    TokenLoglikelihoods: _Kind(Codec(TokenLoglikelihoods), _TEXT),
    Divergence: _Kind(Codec(Divergence), _TEXT),
    PseudoLoglikelihood: _Kind(Codec(PseudoLoglikelihood), _TEXT),
    GenerateUntil: _Kind(Codec(GenerateUntil), _CONTEXT),
    Classify: _Kind(Codec(Classify), {"context": "text", "continuation": "text_pair"}),
    Embed: _Kind(Codec(Embed), {"context": "text"}),
    Tag: _Kind(Codec(Tag), {}, {"context": lambda asked: " ".join(asked.words)}),
    Attribute: _Kind(Codec(Attribute), _CONTEXT, {"continuation": _decided}),
    AttributePicture: _Kind(Codec(AttributePicture), _CONTEXT, {"continuation": _decided}),
    AttributeSound: _Kind(Codec(AttributeSound), _CONTEXT, {"continuation": _decided}),
}
_BY_NAME = {asked.kind: kind for asked, kind in _KINDS.items()}


def request_columns(request: Request) -> dict[str, str | None]:
    """What a row says of a request: `kind`, `context`, `continuation` and, as canonical JSON, all other `settings`.

    `context` and `continuation` are what was given to the model (before a chat template); a whole text that was scored
    stands under `continuation`, one that was labelled or embedded under `context`, the second text of a pair under
    `continuation`, and words are joined by spaces. Raises `TypeError` for a kind that has no columns.
    """
    kind = _KINDS.get(type(request))
    if kind is None:
        raise TypeError(f"no columns for the kind {request.kind}")
    told = {column: getattr(request, name) for column, name in kind.columns.items()}
    told |= {column: show(request) for column, show in kind.shown.items()}
    fields = {name: value for name, value in field_values(request).items() if name not in kind.columns.values()}
    return {
        "kind": request.kind,
        "context": told.get("context"),
        "continuation": told.get("continuation"),
        "settings": canonical_json(fields).decode() if fields else None,
    }


def request_of(row: Mapping[str, Any]) -> Request:
    """The request of a row of `responses.parquet`.

    Raises `RecordError` where the row doesn't hold it whole, or holds another than its id was made from.
    """
    place = f"{row['suite']}/{row['task']}/{row['sample_id']}"
    kind = _BY_NAME.get(row["kind"])
    if "settings" not in row or kind is None:
        raise RecordError(
            "its row doesn't hold the whole request", place=place, fix="Run the evaluation again with this version"
        )
    try:
        columns = {name: row[column] for column, name in kind.columns.items()}
        request: Request = kind.codec.decode({**json.loads(row["settings"] or "{}"), **columns})
    except (ValueError, TypeError, RecursionError) as error:
        raise RecordError("its row holds no request", place=place) from error
    if request.id != row["request_id"]:
        raise RecordError("its request is not the one that its id was made from", place=place)
    return request
