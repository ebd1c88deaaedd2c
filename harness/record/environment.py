"""Where a run happened: recorded beside the scores, and no part of the run's identity."""

import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from harness.core.text.hashing import SHORT, digest, file_digest

__all__ = ["describe_environment", "forget_peak_memory", "package_versions", "peak_memory_bytes"]

_PACKAGES = ("accelerate", "codecarbon", "datasets", "lm_eval", "numpy", "scikit-learn", "scipy", "tokenizers")
_ARITHMETIC = ("responsible-eval-harness", "torch", "transformers")


def package_versions() -> dict[str, str]:
    """Versions of the packages whose code enters a score, and a digest of the harness's own as it stands on disk."""
    return {**{name: version(name) for name in _ARITHMETIC}, "harness-code": _code_digest()}


@cache
def _code_digest() -> str:
    """So that a changed checkout never takes its earlier runs for its own. Of what runs, so it is read once."""
    root = Path(__file__).parents[1]
    files = {str(path.relative_to(root)): file_digest(path) for path in root.rglob("*.py")}
    return digest(files)[:SHORT]


def describe_environment(more: Mapping[str, Any]) -> dict[str, Any]:
    """Machine, operating system, interpreter and packages, with `more` added by the caller (threads, devices)."""
    return {
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "logical_cpu_count": os.cpu_count(),
        "physical_cpu_count": psutil.cpu_count(logical=False),
        "memory_bytes": psutil.virtual_memory().total,
        "packages": {**package_versions(), **_installed(_PACKAGES)},
        **more,
    }


def _installed(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def forget_peak_memory() -> None:
    """Begin the peak anew, where the system lets a process do so (Linux): for several runs in one process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory_bytes() -> int | None:
    """The most memory that this process held since `forget_peak_memory`, or since it began; None where none tells."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = getattr(psutil.Process().memory_info(), "peak_wset", None)
    return None if peak is None else int(peak)
