"""Takes pictures and sounds from files that anybody may have made.

A decoder is a program that a file steers: what a file can do to it ends with a process that has little memory, little
time and nothing to give but pixels or samples. What comes back is a medium of ours, without comments, places and
profiles.
"""

import json
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import DataError
from harness.core.media import IMAGE, MediaType, Medium
from harness.media import admitting

__all__ = ["admit", "admitted"]

_MEMORY_BYTES = 3 * 10**9
_CPU_S = 20
_CPU_S_A_FILE = 5
_LARGEST_BYTES = 256 << 20
_WAITED = 20
"""Times as long by the clock as on the processor, for a machine that is busy."""


def admit(paths: Sequence[Path], media_type: MediaType) -> list[Medium | str]:
    """Each file as a medium, or what is wrong with it, in words that follow its name."""
    found: list[Medium | str] = []
    while len(found) < len(paths):
        found += _read(paths[len(found) :], media_type)
    return found


def admitted(path: Path, media_type: MediaType) -> Medium:
    """One file as a medium. Raises `DataError` that names it and says what is wrong."""
    (found,) = admit([path], media_type)
    if isinstance(found, Medium):
        return found
    kind = "picture" if media_type == IMAGE else "sound"
    raise DataError(
        found, place=path, fix=f"Save it again as a plain {kind}, such as {'PNG' if kind == 'picture' else 'WAV'}"
    )


def _read(paths: Sequence[Path], media_type: MediaType) -> list[Medium | str]:
    """At least the first of the files; those behind one that ends the process are left."""
    if fault := _unfit(paths[0]):
        return [fault]
    fit = paths[: next((place for place, path in enumerate(paths) if _unfit(path)), len(paths))]
    cpu_s = _CPU_S + _CPU_S_A_FILE * len(fit)
    with tempfile.TemporaryDirectory(prefix="harness-media-") as folder:
        job = {
            "media_type": media_type,
            "files": [str(path.absolute()) for path in fit],
            "folder": folder,
            "memory_bytes": _MEMORY_BYTES,
            "cpu_s": cpu_s,
        }
        said, ended = _ran(json.dumps(job), _WAITED * cpu_s)
        found: list[Medium | str] = [
            Medium(media_type, (Path(folder) / str(place)).read_bytes()) if one is None else one
            for place, one in enumerate(said)
        ]
    return found if len(found) == len(fit) else [*found, ended]


def _ran(job: str, timeout_s: float) -> tuple[list[str | None], str]:
    """What was said of each file, and what to say of the one at which the process ended."""
    # Without the folder that the user is in: a module of that name there must not be imported.
    command = [sys.executable, "-P", str(admitting.__file__)]
    try:
        done = subprocess.run(command, input=job, capture_output=True, text=True, timeout=timeout_s, check=False)
        output, ended = done.stdout, "ends the process that reads it"
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        ended = "takes too long to be read"
    return [json.loads(line) for line in output.splitlines() if line], ended


def _unfit(path: Path) -> str | None:
    try:
        about = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        return "no such file" if missing else f"can't be opened ({error.strerror})"
    if not stat.S_ISREG(about.st_mode):
        return "is not a regular file"
    size_bytes = about.st_size
    if size_bytes > _LARGEST_BYTES:
        return f"has {size_bytes:,} bytes; the limit is {_LARGEST_BYTES:,}"
    return None if size_bytes else "is empty"
