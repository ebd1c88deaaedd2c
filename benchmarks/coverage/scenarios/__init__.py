"""What is simulated, one module a family of metrics.

A module has `SCENARIOS`, a sequence of `Scenario` and `PairScenario`, and may have `UNSIMULATED`: why no simulation
makes sense, by the name of a metric or of its class.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from benchmarks.coverage.scenario import PairScenario, Scenario

__all__ = ["scenarios", "unsimulated"]


def scenarios() -> list[Scenario | PairScenario]:
    """Of every family, in the order of the modules' names."""
    return [scenario for module in _modules() for scenario in getattr(module, "SCENARIOS", ())]


def unsimulated() -> Mapping[str, str]:
    """Why a metric has no scenario, by its name or that of its class."""
    return {name: reason for module in _modules() for name, reason in getattr(module, "UNSIMULATED", {}).items()}


def _modules() -> Iterator[object]:
    for found in sorted(iter_modules(__path__), key=lambda module: module.name):
        yield import_module(f"{__name__}.{found.name}")
