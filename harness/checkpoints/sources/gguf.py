"""Checkpoints in a GGUF file, converted once to safetensors in the user's cache."""

import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from safetensors import SafetensorError

from harness.checkpoints.sources.cached import CONVERTER_VERSION, kept_conversion
from harness.core.checkpoints import SourceOptions
from harness.core.errors import CheckpointError, HarnessError
from harness.core.process.isolation import StepFailed
from harness.core.text.hashing import SHORT, digest, file_digest

__all__ = ["GgufCheckpoints", "converted"]

MAGIC = b"GGUF"
CPU_S = 60
CPU_S_PER_MB = 2
"""Four times what the conversion of a sound file takes."""
MEMORY_BYTES = 2 * 10**9
GROWN = 40
"""Times as much memory as a file's bytes; one of two bits a weight takes thirty."""
PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
"""What llama.cpp calls one of several files that a model is split into."""


class GgufCheckpoints:
    """A `.gguf` file on this machine; of a split one, any of its parts."""

    rank = 10

    def accepts(self, ref: str) -> bool:
        """Whether the reference ends as GGUF files do."""
        return ref.lower().endswith(".gguf") and "\0" not in ref

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:  # noqa: ARG002
        """The folder of the converted checkpoint. Raises `CheckpointError` if the file isn't there or can't be used."""
        path = Path(ref).expanduser()
        return converted(path), f"GGUF file {path.absolute()}, converted to float32 safetensors"


def converted(source: Path) -> Path:
    """The cached folder of a GGUF file's safetensors conversion, made where there is none yet.

    Keyed by the file's SHA-256, so a changed file is converted anew and a copied one isn't. `source` may be any part of
    a split file; all of them must be beside it. Takes about half a minute
    and some 10 bytes of memory a parameter. Raises `CheckpointError` for a file that is missing or no GGUF file, and as
    `kept_conversion` does.
    """
    parts = _parts(source)
    digests = [file_digest(part) for part in parts]
    key = digests[0] if len(digests) == 1 else digest(digests)
    return kept_conversion(f"{key[:SHORT]}-{CONVERTER_VERSION}", parts[0], partial(_convert_apart, parts))


def _parts(source: Path) -> list[Path]:
    """The file, or all of the files that it is split into, in order; each is there and begins as GGUF files do."""
    found = PART.fullmatch(source.name)
    if found is None or not 1 <= int(found["number"]) <= int(found["count"]):
        _check(source)
        return [source]
    ending = source.name[found.end("count") :]
    names = [
        f"{found['stem']}-{number:05d}-of-{found['count']}{ending}" for number in range(1, int(found["count"]) + 1)
    ]
    if source.is_file():
        for name in names:
            if not source.with_name(name).is_file():
                raise CheckpointError(
                    f"this part of the split file is missing; {source.name} is there",
                    place=source.with_name(name),
                    fix="Download or copy it too, into the same folder",
                )
    parts = [source.with_name(name) for name in names]
    for part in parts if source.is_file() else [source]:
        _check(part)
    return parts


def _convert_apart(parts: list[Path], folder: Path) -> None:
    """Convert in a process apart: counts in the file become loops and arrays, and its words a tokenizer."""
    from harness.checkpoints.loading.rehearsal import done_apart
    from harness.checkpoints.sources.convert import convert

    if sys.platform != "linux":
        convert(parts, folder)
        return
    size_bytes = sum(part.stat().st_size for part in parts)
    cpu_s = int(CPU_S + CPU_S_PER_MB * size_bytes / 1e6)
    converting = partial(_fault_of, convert, parts, folder)
    try:
        with done_apart(converting, parts[0], cpu_s, MEMORY_BYTES + GROWN * size_bytes, "converting it") as result:
            fault = result()
    except StepFailed as failed:
        raise CheckpointError(
            f"can't be converted ({failed})", place=parts[0], fix="Download the file again"
        ) from failed
    if fault is not None:
        raise fault


def _fault_of(convert: Callable[[Sequence[Path], Path], None], parts: list[Path], folder: Path) -> Exception | None:
    try:
        convert(parts, folder)
    except (HarnessError, OSError) as error:
        return error
    except SafetensorError as error:
        return OSError(str(error))
    return None


def _check(source: Path) -> None:
    try:
        if not source.is_file():
            raise CheckpointError("no such file", place=source, fix="Check the spelling, and the folder you are in")
        with source.open("rb") as stream:
            start = stream.read(len(MAGIC))
    except OSError as error:
        raise CheckpointError(f"can't be read ({error.strerror})", place=source, fix="Check its permissions") from error
    if start != MAGIC:
        raise CheckpointError(
            "is not a GGUF file: it doesn't start with GGUF", place=source, fix="Download or copy the file again"
        )
