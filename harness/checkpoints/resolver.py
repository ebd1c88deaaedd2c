"""Asks each source for a checkpoint, and inspects what it gives."""

from harness.checkpoints.inspect import inspect_folder
from harness.checkpoints.wheel import MODELS
from harness.core import registry
from harness.core.checkpoints import Checkpoint, CheckpointSource, SourceOptions
from harness.core.errors import CheckpointError

__all__ = ["GROUP", "resolve"]

GROUP = "harness.checkpoint_sources"


def resolve(ref: str, *, offline: bool = False) -> Checkpoint:
    """Find the checkpoint that `ref` names, fetch it where that is allowed, inspect and fingerprint it.

    `ref` is a folder, a `.gguf` file, a hub id (`org/name` or `org/name@revision`) or the name of a packaged model such
    as `smollm2-135m`. What exists on disk comes first. Nothing in the checkpoint is executed, and no weight is loaded:
    only JSON and the headers of safetensors files are read, and every file that matters is hashed.

    Raises `CheckpointError` naming the file at fault, `UnavailableError` with the command that would fetch it, and
    `PluginError` if a source fails to import.
    """
    for source in _sources():
        if source.accepts(ref):
            folder, origin = source.fetch(ref, SourceOptions(offline=offline))
            _refuse_unwritable(ref, origin)
            return inspect_folder(folder, ref=ref, origin=origin)
    raise CheckpointError(
        f"no such folder or file, nor a packaged model (known: {', '.join(sorted(MODELS))})",
        place=ref or "an empty model reference",
        fix="Give a folder, a .gguf file, a hub id such as org/name, or a packaged model's name",
    )


def _refuse_unwritable(*names: str) -> None:
    """Raises `CheckpointError` for a file name that isn't UTF-8: the record says what was evaluated, in JSON."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise CheckpointError("its path is not UTF-8", place=name, fix="Rename that folder or file") from error


def _sources() -> list[CheckpointSource]:
    found: list[CheckpointSource] = [
        registry.load(GROUP, name, "checkpoint source")() for name in registry.names(GROUP)
    ]
    return sorted(found, key=lambda source: source.rank)
