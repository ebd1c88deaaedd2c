"""Responsible-AI evaluation of language-model checkpoints.

import harness

record = harness.evaluate("path/to/checkpoint", suite="accuracy", limit=50)
record.estimates      # one row a score, with its error
record.scores         # one row a sample and metric
harness.load_record(record.folder)
harness.compare(record, other).differences
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.decision.comparison import compare
    from harness.record import RunRecord, load_record
    from harness.run.options import EvalOptions
    from harness.run.pipeline import evaluate

__all__ = ["EvalOptions", "RunRecord", "compare", "evaluate", "load_record"]

_HOMES = {
    "EvalOptions": "harness.run.options",
    "RunRecord": "harness.record",
    "compare": "harness.decision.comparison",
    "evaluate": "harness.run.pipeline",
    "load_record": "harness.record",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: `import harness` must not pay for torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
