"""What an entry of the corpus is: how to make it, what to type, and what must be said."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["MARKER", "WRITABLE", "Entry", "Scene", "entry", "registered"]

WRITABLE = ("out", "tmp")
"""Folders of the scene that a command may write into."""
MARKER = "code_was_executed"
EVAL = ("eval", "--model", "model", "--suite", "mine.yaml", "--meter", "none", "--store", "none", "--output", "out")

_entries: dict[str, "Entry"] = {}


@dataclass(frozen=True, slots=True)
class Scene:
    """The folder that a command is run in: a sound checkpoint `model` and a sound suite `mine.yaml`, to be broken."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def weights(self) -> Path:
        return self.model / "model.safetensors"

    @property
    def marker(self) -> Path:
        """A file that only exists if code of the input was executed."""
        return self.folder / MARKER

    def edit(self, name: str, **fields: Any) -> None:
        """Set fields of one of the checkpoint's JSON files; None removes one."""
        path = self.model / name
        value = {**json.loads(path.read_text("utf-8")), **fields}
        path.write_text(json.dumps({key: item for key, item in value.items() if item is not None}), "utf-8")

    def contents(self) -> dict[str, str]:
        """Every file outside of the folders that a command may write into, with the bytes it holds."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if name.split("/")[0] not in WRITABLE:
                regular = path.is_file() and not path.is_symlink()
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if regular else str(path.lstat().st_mode)
        return found

    def payload(self) -> str:
        """Python that creates the marker."""
        return f"open({str(self.marker)!r}, 'w').close()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One bad input. `says` are words that the one message must hold: the file, the field, the limit, the fix.

    An entry that is odd but sound has `exit_code` 0.
    """

    name: str
    group: str
    make: Callable[[Scene], None]
    command: tuple[str, ...]
    says: tuple[str, ...]
    exit_code: int
    environment: Mapping[str, str]


def entry(
    group: str,
    *says: str,
    command: tuple[str, ...] = EVAL,
    more: tuple[str, ...] = (),
    exit_code: int = 2,
    environment: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """Register a generator under its own name; `more` is added to the command."""

    def register(make: Callable[[Scene], None]) -> Callable[[Scene], None]:
        name = make.__name__
        assert name not in _entries
        _entries[name] = Entry(
            name=name,
            group=group,
            make=make,
            command=(*command, *more),
            says=says,
            exit_code=exit_code,
            environment=environment or {},
        )
        return make

    return register


def registered() -> Mapping[str, Entry]:
    """Every entry by name, once the modules with the generators are imported."""
    return _entries
