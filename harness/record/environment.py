"""Where a run happened: recorded beside the scores, and no part of the run's identity."""

import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

__all__ = ["describe_environment", "package_versions"]

_PACKAGES = ("accelerate", "codecarbon", "datasets", "lm_eval", "numpy", "scikit-learn", "scipy", "tokenizers")
_ARITHMETIC = ("responsible-eval-harness", "torch", "transformers")


def package_versions() -> dict[str, str]:
    """Versions of the packages whose code enters a score."""
    return {name: version(name) for name in _ARITHMETIC}


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
