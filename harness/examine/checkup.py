"""What the harness makes of one checkpoint: whether it loads, and which way its requests will be read."""

import json
from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Any

from harness.checkpoints import resolve, resolve_dtype
from harness.checkpoints.kinds import AUDIO_LANGUAGE, CAUSAL, VISION_LANGUAGE
from harness.checkpoints.loading.dtypes import SERVED
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.models import Model, ModelOptions, respond
from harness.core.requests import GenerateUntil
from harness.core.text.reasons import Reason, told_together
from harness.engine.devices import resolve_device
from harness.engine.lengths import Lengths
from harness.engine.opening import open_model
from harness.examine.doctor import Diagnosis

__all__ = ["examine_model"]

_GB = 1e9
_WIDTH = 40


def examine_model(ref: str, *, offline: bool, kind: str | None = None, base: str | None = None) -> list[Diagnosis]:
    """Resolve and load a checkpoint, ask it something, and say how it will be read. Raises `CheckpointError`."""
    checkpoint = resolve(ref, offline=offline, kind=kind, base=base)
    device = resolve_device("auto")
    dtype = resolve_dtype(checkpoint, "auto", device=device)
    model = open_model(checkpoint, ModelOptions(dtype=dtype, device=device))
    return [
        _identity(checkpoint),
        _weights(checkpoint, dtype, device),
        _way(checkpoint, model),
        *_writing(checkpoint),
        _trial(checkpoint, model),
    ]


def _identity(checkpoint: Checkpoint) -> Diagnosis:
    template = "with" if checkpoint.has_chat_template else "without"
    detail = f"{checkpoint.architecture} ({checkpoint.kind}), {template} a chat template, {checkpoint.origin}"
    return Diagnosis(name="checkpoint", status="ok", detail="; ".join((detail, *checkpoint.notes)))


def _weights(checkpoint: Checkpoint, dtype: str, device: str) -> Diagnosis:
    if checkpoint.dtype == SERVED:
        return Diagnosis(
            name="weights", status="ok", detail="served elsewhere, so their number and size aren't known here"
        )
    window = f"; a window of {checkpoint.max_length:,} tokens" if checkpoint.max_length else ""
    count = "an unknown number of" if checkpoint.parameter_count is None else f"{checkpoint.parameter_count:,}"
    detail = (
        f"{count} parameters, {(checkpoint.size_bytes or 0) / _GB:.2f} GB as {checkpoint.dtype}, "
        f"computed in {dtype} on {device}{window}"
    )
    return Diagnosis(name="weights", status="ok", detail=detail)


def _way(checkpoint: Checkpoint, model: Model) -> Diagnosis:
    if checkpoint.kind not in (CAUSAL.name, VISION_LANGUAGE.name, AUDIO_LANGUAGE.name):
        said = Reason("as a {kind}", kind=registry.kind(checkpoint.kind).title)
        return Diagnosis(name="reading", status="ok", detail=said)
    reading: Any = model
    while not hasattr(reading, "plain_reason"):
        reading = reading.model
    plain_reason: Reason | None = reading.plain_reason
    lengths: Lengths = reading.lengths
    if plain_reason is None:
        detail = Reason("packed: what requests share is read once; agrees with the plain way on a self-check")
    elif reading.continues:
        detail = Reason(
            "row by row, each going on from a beginning that is read once; not packed: {reason}", reason=plain_reason
        )
    else:
        detail = Reason("plain, each request by itself: {reason}", reason=plain_reason)
        return Diagnosis(name="reading", status="limited", detail=detail)
    return Diagnosis(name="reading", status="ok", detail=told_together([detail, lengths.reason, _senses(reading)]))


def _senses(reading: Any) -> Reason | None:
    """How media are read, of a model that sees or hears."""
    if not hasattr(reading, "own_way_reason"):
        return None
    sense = reading.percepts.sense
    if reading.own_way_reason is None:
        return Reason(
            "each {medium} is encoded once, and agrees with the model's own forward pass on a trial", medium=sense.one
        )
    return Reason(
        "{media} are read by the model's own forward pass, a request at a time: {reason}",
        media=sense.many,
        reason=reading.own_way_reason,
    )


def _writing(checkpoint: Checkpoint) -> Iterator[Diagnosis]:
    """Which of the checkpoint's own settings for generation count, where it writes at all."""
    if GenerateUntil not in registry.kind(checkpoint.kind).answers:
        return
    own = checkpoint.generation
    detail = f"follows {_listed(own.followed)} of the checkpoint's settings" if own.followed else "follows no settings"
    if own.requested:
        detail += f"; each task's own in place of {_listed(own.requested)}"
    if own.unfollowed:
        detail += f"; can't follow {_listed(own.unfollowed)}, so its texts may differ from the usual ones"
    yield Diagnosis(name="writing", status="limited" if own.unfollowed else "ok", detail=detail)


def _listed(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {shorten(json.dumps(value), _WIDTH)}" for name, value in settings.items())


def _trial(checkpoint: Checkpoint, model: Model) -> Diagnosis:
    (response,) = respond(model, [registry.kind(checkpoint.kind).trial])
    if response.invalid is not None:
        return Diagnosis(name="answer", status="limited", detail=f"a first request has no answer: {response.invalid}")
    return Diagnosis(
        name="answer", status="ok", detail=f"answers a request of the kind {registry.kind(checkpoint.kind).trial.kind}"
    )
