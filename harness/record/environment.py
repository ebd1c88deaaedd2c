"""Where a run happened: recorded beside the scores, and no part of the run's identity."""

import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from harness.core.hashing import SHORT, digest, file_digest

__all__ = ["describe_environment", "package_versions"]

_PACKAGES = ("accelerate", "codecarbon", "datasets", "lm_eval", "numpy", "scikit-learn", "scipy", "tokenizers")
_ARITHMETIC = ("responsible-eval-harness", "torch", "transformers")


def package_versions() -> dict[str, str]:
    """Versions of the packages whose code enters a score, and a digest of the harness's own as it stands on disk."""
    return {**{name: version(name) for name in _ARITHMETIC}, "harness-code": _code_digest()}


def _code_digest() -> str:
    """So that a changed checkout never takes its earlier runs for its own."""
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
