"""A few samples of a run asked again, so that a record can be held against the checkpoint that it speaks of.

A signature says who vouches for a record, and not that the answers in it are the checkpoint's. Samples are drawn by the
seal's digest and a word of the verifier's own, so that whoever wrote the record could not foresee which.
"""

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from harness.checkpoints import refuse_remote_code, resolve, resolve_named
from harness.checkpoints.labels import with_labels
from harness.checkpoints.loading.dtypes import SERVED
from harness.checkpoints.served.endpoint import address_of, is_served
from harness.checkpoints.sources.named import NamedInFile, UnconfirmedError, below
from harness.core.checkpoints import Checkpoint, EndpointOptions
from harness.core.errors import CheckpointError, InputError, RecordError
from harness.core.models import Model, answered, tolerance_nats
from harness.core.process.progress import Progress, Quiet
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import Request, Response
from harness.core.text.hashing import SHORT, file_digest
from harness.media.restored import names_in, with_bytes
from harness.record import RunRecord, RunSpec
from harness.record.codec import request_of
from harness.record.environment import package_versions
from harness.record.media import file_of, require_media
from harness.record.samples import read_rows
from harness.record.seal import SEAL
from harness.run.gen_kwargs import GenKwargs
from harness.run.reopening import model_options

__all__ = ["AnswerDifference", "Rerun", "rerun"]

_SHOWN = 200

_OF_TWO = tuple(asked.kind for asked in (Divergence, ReferenceLoglikelihood))
"""What is asked of a reference too, which a record only names."""
_EXACT = ("text", "tags")
_NUMBERS = ("loglikelihood", "label_scores", "vector", "token_loglikelihoods")

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDifference:
    """An answer that isn't the one in the record."""

    sample: str
    position: int
    field: str
    recorded: Any
    found: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """What asking again gave. `samples` are those drawn; numbers may differ by `tolerance`, texts not at all."""

    nonce: str
    samples: tuple[str, ...]
    compared_count: int
    tolerance: float
    differences: tuple[AnswerDifference, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every answer is the one in the record."""
        return not self.differences


def rerun(
    record: RunRecord,
    count: int,
    nonce: str | None = None,
    progress: Progress | None = None,
    *,
    model: str | None = None,
    base: str | None = None,
    offline: bool = False,
    trust_remote_code: bool = False,
    endpoint: EndpointOptions | None = None,
) -> Rerun:
    """Ask the checkpoint of a sealed run about `count` of its samples again, and compare.

    The batches are those of the run, computed as wholes, so that on the same machine the answers are the same to the
    last bit. `nonce` is drawn where none is given. `model` says where the checkpoint is; without it, the record's name
    for it is looked for below the folder that the user is in. Raises `CheckpointError` where it isn't there or is
    another one, before it is asked anything; `InputError` where its code is trusted and it isn't named; `RecordError`
    for a record that lacks the requests.
    """
    progress, nonce = progress or Quiet(), nonce or secrets.token_hex(8)
    spec = record.spec
    rows = read_rows(record.folder / "responses.parquet")
    keys: list[Key] = sorted({_key(row) for row in rows} - {_key(row) for row in rows if row["kind"] in _OF_TWO})
    if not keys:
        raise RecordError(
            "every answer is about a second model too, which isn't asked again",
            place=record.folder,
            fix="Run the evaluation again, and compare the two",
        )
    drawn = set(Random(f"{file_digest(record.folder / SEAL)}:{nonce}").sample(keys, min(count, len(keys))))
    wanted = {row["request_id"] for row in rows if _key(row) in drawn}
    phases = _phases(rows)
    if trust_remote_code and model is None:
        raise InputError(
            "would run code of a checkpoint that only the record names",
            place="--trust-remote-code",
            fix="Name the checkpoint with --model",
        )
    checkpoint = _checkpoint(record, model, base, offline=offline, endpoint=endpoint)
    if not trust_remote_code:
        refuse_remote_code(checkpoint)
    progress.phase("loading the checkpoint")
    loaded = _load(checkpoint, spec, trust_remote_code=trust_remote_code)
    phases = [_with_media(record, requests) for requests in phases]
    answers = {one.request_id: one for one in _answers(loaded, phases, wanted, progress)}
    tolerance = tolerance_nats(spec.dtype)
    asked = [row for row in rows if _key(row) in drawn]
    return Rerun(
        nonce=nonce,
        samples=tuple("/".join(key) for key in sorted(drawn)),
        compared_count=len(asked),
        tolerance=tolerance,
        differences=tuple(one for row in asked for one in _differences(row, answers[row["request_id"]], tolerance)),
        notes=tuple(_notes(spec)),
    )


def _key(row: Mapping[str, Any]) -> Key:
    return row["suite"], row["task"], row["sample_id"]


def _phases(rows: Sequence[Mapping[str, Any]]) -> list[list[Request]]:
    """All requests of the run, in the phases that it asked them in."""
    found: dict[tuple[str, str], dict[str, Request]] = {}
    seen: set[str] = set()
    for row in rows:
        if row["request_id"] not in seen and row["kind"] not in _OF_TWO:
            seen.add(row["request_id"])
            found.setdefault((row["suite"], row["kind"]), {})[row["request_id"]] = request_of(row)
    return [list(requests.values()) for requests in found.values()]


def _with_media(record: RunRecord, requests: Sequence[Request]) -> list[Request]:
    names = {name for request in requests for name in names_in(request)}
    require_media(record.folder, names)
    return with_bytes(requests, {name: record.folder / file_of(name) for name in names})


def _answers(
    model: Model, phases: Sequence[Sequence[Request]], wanted: set[str], progress: Progress
) -> Iterator[Response]:
    batches = [
        batch
        for requests in phases
        if any(request.id in wanted for request in requests)
        for batch in model.plan(requests)
        if any(request.id in wanted for request in batch.requests)
    ]
    progress.begin(sum(len(batch.requests) for batch in batches))
    progress.phase("asking again")
    for _, responses in answered(model, batches):
        progress.advance(len(responses))
        yield from responses


def _checkpoint(
    record: RunRecord, model: str | None, base: str | None, *, offline: bool, endpoint: EndpointOptions | None
) -> Checkpoint:
    spec = record.spec
    kind = None if spec.device == SERVED else spec.kind
    try:
        if model is None:
            found = resolve_named(_named(record), kind=kind, base=base)
        else:
            _refuse_other_server(spec, model)
            found = resolve(model, offline=offline, kind=kind, base=base, endpoint=endpoint)
    except UnconfirmedError:
        raise
    except CheckpointError as error:
        raise CheckpointError(
            error.problem, place=error.place, fix="Say where the checkpoint is with --model"
        ) from error
    if found.fingerprint != spec.fingerprint:
        raise CheckpointError(
            f"is not the checkpoint of the run: its fingerprint is {found.fingerprint[:SHORT]}, "
            f"that of the run {spec.fingerprint[:SHORT]}",
            place=found.ref,
            fix="Say where the right one is with --model",
        )
    if spec.labels and spec.labels != found.labels:
        found = with_labels(found, spec.labels)
    found = GenKwargs(steering=spec.gen_kwargs or {}).steered(found)
    return replace(found, source_language=spec.source_language, target_language=spec.target_language)


def _named(record: RunRecord) -> NamedInFile:
    return NamedInFile(
        name=record.spec.model,
        place=record.folder / "spec.json",
        role="checkpoint",
        option="--model",
        candidates=below(record.spec.model, Path.cwd()),
        where="below the folder that you are in",
        may_be_served=True,
    )


def _refuse_other_server(spec: RunSpec, model: str) -> None:
    """Refuse a server that can't be the one of the run, before it is asked anything. Raises `CheckpointError`."""
    if not is_served(model) and spec.device != SERVED:
        return
    address, _, name = spec.model.rpartition("#")
    if is_served(model) and address == f"openai:{address_of(model)}" and model.partition("#")[2] in ("", name):
        return
    raise CheckpointError(
        f"is not the checkpoint of the run, which was {spec.model[:_SHOWN]!r}",
        place=f"--model {model}",
        fix="Say where the right one is with --model",
    )


def _load(checkpoint: Checkpoint, spec: RunSpec, *, trust_remote_code: bool) -> Model:
    # Imported late: what can be refused before must not wait for transformers.
    from harness.engine.opening import open_model

    return open_model(checkpoint, model_options(spec, trust_remote_code=trust_remote_code))


def _differences(row: Mapping[str, Any], answer: Response, tolerance: float) -> Iterator[AnswerDifference]:
    told = {"sample": "/".join(_key(row)), "position": row["position"]}
    if (row["invalid"] is None) != (answer.invalid is None):
        yield AnswerDifference(**told, field="invalid", recorded=row["invalid"], found=answer.invalid)
        return
    for name in (*_EXACT, *_NUMBERS):
        recorded, found = row[name], getattr(answer, name)
        if name in _EXACT:
            same = recorded == (list(found) if isinstance(found, tuple) else found)
        else:
            same = _near(_numbers(recorded), _numbers(found), tolerance)
        if not same:
            yield AnswerDifference(**told, field=name, recorded=recorded, found=found)


def _numbers(value: Any) -> list[float]:
    if value is None or isinstance(value, float | int):
        return [] if value is None else [float(value)]
    if isinstance(value, Mapping):
        return [float(score) for score in value.values()]
    return [float(one[1] if isinstance(one, tuple) else one) for one in value]


def _near(first: Sequence[float], second: Sequence[float], tolerance: float) -> bool:
    return len(first) == len(second) and all(
        math.isclose(one, other, rel_tol=0, abs_tol=tolerance) for one, other in zip(first, second, strict=True)
    )


def _notes(spec: RunSpec) -> Iterator[str]:
    here = package_versions()
    for name, recorded in spec.versions.items():
        if here.get(name) != recorded:
            yield f"the run used {name} {recorded}, this is {here.get(name)}"
