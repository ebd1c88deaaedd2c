"""Asks each source for a checkpoint, and inspects what it gives."""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from harness.checkpoints.adapter import inspect_adapter, is_adapter
from harness.checkpoints.inspect import inspect_folder
from harness.checkpoints.marked import check_kind
from harness.checkpoints.served.endpoint import is_served
from harness.checkpoints.sources.named import NamedInFile
from harness.checkpoints.sources.wheel import NAMES
from harness.core import registry
from harness.core.checkpoints import Checkpoint, CheckpointSource, EndpointOptions, SourceOptions
from harness.core.errors import CheckpointError, InputError, UnavailableError

__all__ = ["GROUP", "resolve", "resolve_named"]

GROUP = "harness.checkpoint_sources"


def resolve(
    ref: str,
    *,
    offline: bool = False,
    kind: str | None = None,
    base: str | None = None,
    endpoint: EndpointOptions | None = None,
) -> Checkpoint:
    """Find the checkpoint that `ref` names, fetch it where that is allowed, inspect and fingerprint it.

    `ref` is a folder (of a model, or of an adapter as peft writes it), a `.gguf` file, a hub id (`org/name` or
    `org/name@revision`), the name of a packaged model such as `smollm2-135m`, or a model that is served,
    `openai:http://HOST/v1#model`, asked as `endpoint` says. It is the user's word: one that stands in a file goes
    through `resolve_named`. What exists on disk comes before names. Nothing in the
    checkpoint is executed, and no weight is loaded: only JSON and the headers of safetensors files are read, and every
    file that matters is hashed. `kind` says what kind of model it is; by default the checkpoint's own files do. `base`
    is the model that an adapter is put over (by default the one that the adapter names, if that lies in its folder or
    next to it), or the one that a quantised checkpoint was made from.

    Raises `CheckpointError` naming the file at fault, `UnavailableError` with the command that would fetch it, and
    `PluginError` if a source fails to import.
    """
    check_kind(kind)
    if base is not None and is_served(base):
        raise InputError("a served model can't be a base", place="--base openai:...", fix="Give a folder or a hub id")
    source = next((source for source in _sources() if source.accepts(ref)), None)
    if source is None:
        raise CheckpointError(
            f"no such folder or file, nor a packaged model (known: {', '.join(sorted(NAMES))})",
            place=ref or "an empty model reference",
            fix="Give a folder, a .gguf file, a hub id such as org/name, or a packaged model's name",
        )
    found = source.fetch(ref, SourceOptions(offline=offline, endpoint=endpoint or EndpointOptions()))
    if isinstance(found, Checkpoint):
        return found
    folder, origin = found
    _refuse_unwritable(ref, origin)
    if is_adapter(folder):
        under = partial(_resolve_base, offline=offline, kind=kind)
        return inspect_adapter(folder, ref=ref, origin=origin, base=base, resolve=under)
    checkpoint = inspect_folder(folder, ref=ref, origin=origin, kind=kind)
    if base is None:
        return checkpoint
    return replace(checkpoint, parent_fingerprint=resolve(base, offline=offline).fingerprint)


def resolve_named(named: NamedInFile, *, kind: str | None = None, base: str | None = None) -> Checkpoint:
    """The checkpoint that a name in a file means, without the network.

    A name that the user gave none of the candidates of may still be that of a packaged model, pinned by its SHA-256, if
    it is in the cache. Raises `UnconfirmedError` with what to type for any other, `CheckpointError` as `resolve`.
    """
    path = named.path()
    if path is not None:
        # With the whole path, so that it is nothing but one; the name stays what people are shown.
        return replace(resolve(str(path), offline=True, kind=kind, base=base), ref=named.name)
    if named.name in NAMES:
        with suppress(UnavailableError):
            return resolve(named.name, offline=True, kind=kind, base=base)
    raise named.unconfirmed()


def _resolve_base(base: str | NamedInFile, adapted_for: str | None, *, offline: bool, kind: str | None) -> Checkpoint:
    if isinstance(base, NamedInFile):
        return resolve_named(base, kind=kind or adapted_for)
    return resolve(base, offline=offline, kind=kind or adapted_for)


def _refuse_unwritable(*names: str) -> None:
    """Raises `CheckpointError` for a file name that isn't UTF-8: the record says what was evaluated, in JSON."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise CheckpointError("its path is not UTF-8", place=name, fix="Rename that folder or file") from error


def _sources() -> list[CheckpointSource]:
    found: list[CheckpointSource] = [registry.make(GROUP, name) for name in registry.names(GROUP)]
    return sorted(found, key=lambda source: source.rank)
