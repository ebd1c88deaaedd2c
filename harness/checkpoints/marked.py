"""Folders with checkpoints of kinds that packages bring: told by a file's name, hashed, and otherwise left alone."""

from pathlib import Path

from harness.checkpoints.files import exists
from harness.checkpoints.fingerprint import file_digests, fingerprint
from harness.checkpoints.kinds import loaded_kinds
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, UnknownName
from harness.core.models import Kind

__all__ = ["check_kind", "inspect_marked", "marked_kind"]

_MOST_FILES = 10_000


def check_kind(name: str | None) -> None:
    """Refuse the name of a kind of checkpoint that no folder can be of. Raises `UnknownName`."""
    if name is None:
        return
    known = {*loaded_kinds(), *(kind.name for kind in _marked_kinds())}
    if name not in known:
        raise UnknownName("kind of checkpoint", name, known)


def marked_kind(folder: Path, wanted: str | None) -> Kind | None:
    """The kind whose marker is in a folder that has no config.json; None for a folder as transformers writes it.

    `wanted` is the kind that the user says it is. Raises `CheckpointError` where the marker isn't there, or there are
    those of several kinds.
    """
    if wanted in loaded_kinds() or (wanted is None and exists(folder / "config.json")):
        return None
    found = [kind for kind in _marked_kinds() if wanted in (None, kind.name) and exists(folder / str(kind.marker))]
    if wanted is not None and not found:
        marker = registry.kind(wanted).marker
        raise CheckpointError(f"holds no {marker}, as a checkpoint of the kind {wanted} does", place=folder)
    if len(found) > 1:
        names = " or ".join(kind.name for kind in found)
        raise CheckpointError("may be of several kinds", place=folder, fix=f"Say which with --kind {names}")
    return found[0] if found else None


def inspect_marked(folder: Path, kind: Kind, *, ref: str, origin: str) -> Checkpoint:
    """The checkpoint in a folder of a package's kind, fingerprinted over all its files; none is interpreted.

    Raises `CheckpointError` for a file that can't be read or is a link out of the folder.
    """
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir()]
    if len(names) > _MOST_FILES:
        raise CheckpointError(
            f"holds {len(names):,} files", place=folder, fix="Give a folder that holds the checkpoint alone"
        )
    digests, stamps = file_digests(folder, names, with_code=False)
    return Checkpoint(
        ref=ref,
        kind=kind.name,
        path=folder.resolve(),
        origin=origin,
        architecture=kind.title,
        dtype="float32",
        parameter_count=None,
        size_bytes=sum((folder / name).stat().st_size for name in names),
        max_length=None,
        has_chat_template=False,
        files=digests,
        fingerprint=fingerprint(digests),
        stamps=stamps,
    )


def _marked_kinds() -> list[Kind]:
    return [kind for kind in registry.kinds() if kind.marker]
