"""The folder that an export fills: ours from the first file to the last, or not touched."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from harness.core.errors import InputError
from harness.core.process.paths import is_folder

__all__ = ["LISTED", "Sheaf", "fill_folder", "refuse_foreign"]

LISTED = "export.json"
"""The file of an export that lists all others, so that the next one knows what it may take away."""

_FIX = "Give another folder, or a new one"


class Sheaf:
    """The files of an export, written to a scratch folder before any of them is where people look."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._sizes: dict[str, int] = {}

    @property
    def sizes_bytes(self) -> Mapping[str, int]:
        """Each file by its path, with `/` between its parts."""
        return self._sizes

    def put(self, name: str, content: str | bytes) -> None:
        """Add a file; a text is UTF-8. A file that is there already stays as it is."""
        if name in self._sizes:
            return
        path = self.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode("utf-8") if isinstance(content, str) else content
        path.write_bytes(data)
        self._sizes[name] = len(data)


def refuse_foreign(folder: Path) -> None:
    """Raises `InputError` for a folder that holds anything but an earlier export, and for what is no folder."""
    try:
        if not is_folder(folder):
            if folder.is_symlink() or folder.exists():
                raise InputError("is not a folder", place=folder, fix=_FIX)
            return
        known = set(_listed(folder))
        held = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
        # What is written where a link stands would be written elsewhere.
        foreign = [
            name for name, path in held.items() if path.is_symlink() or (not path.is_dir() and name not in known)
        ]
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", place=folder, fix=_FIX) from error
    if foreign:
        more = f" and {len(foreign) - 1:,} more" if len(foreign) > 1 else ""
        raise InputError(f"holds what no export wrote: {foreign[0]}{more}", place=folder, fix=_FIX)


def fill_folder(sheaf: Sheaf, folder: Path) -> None:
    """Put the files into the folder, in the place of an earlier export. Raises `InputError` as `refuse_foreign`."""
    refuse_foreign(folder)
    names = sorted(sheaf.sizes_bytes)
    try:
        old = _listed(folder) if is_folder(folder) else []
        folder.mkdir(parents=True, exist_ok=True)
        # Both lists at first: whatever stops this, the next export may clear up.
        _list(folder, sorted({*old, *names}))
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(sheaf.scratch / name, target)
        for name in set(old) - {*names, LISTED}:
            (folder / name).unlink(missing_ok=True)
        _list(folder, names)
        for path in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
            if not any(path.iterdir()):
                path.rmdir()
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", place=error.filename or folder, fix=_FIX) from error


def _list(folder: Path, names: list[str]) -> None:
    text = json.dumps({"format": 1, "files": names}, ensure_ascii=False, indent=0)
    (folder / LISTED).write_text(f"{text}\n", encoding="utf-8")


def _listed(folder: Path) -> list[str]:
    """What the folder's own list says that an export wrote, the list among it; nothing where it has no such list."""
    path = folder / LISTED
    if path.is_symlink() or not path.is_file():
        return []
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["files"]
        return [LISTED, *(name for name in names if _is_inside(name))]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _is_inside(name: object) -> bool:
    if not isinstance(name, str):
        return False
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts
