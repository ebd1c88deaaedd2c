"""Responsible-AI evaluation of language-model checkpoints.

import harness

record = harness.evaluate("path/to/checkpoint", suite="accuracy", limit=50)
record                  # in a notebook: the one score of each suite, with its interval
record.headlines        # a frame of them; record.task_estimates and record.group_estimates are the rest
record.scores           # one row a sample and metric
record.samples          # one row a request: what was asked, and what was answered
record.plot()           # a chart of the headlines

records = harness.load_records("runs")
harness.compare(records[0], records[1]).frame
harness.gate(records[1], "policy.yaml", records[0]).frame
harness.in_context(records[1], records[0])   # scores beside chance, optimum and the other run, each with one word
harness.plot(records, y="accuracy")
harness.plot(records, x="step", y="accuracy")
harness.plot(records, x="energy", y="accuracy")
harness.columns("scores")   # what the columns of a frame mean
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.decision.comparison import compare
    from harness.decision.context import in_context
    from harness.decision.gate import gate
    from harness.record import RunRecord, load_record, load_records
    from harness.record.notebook.columns import columns
    from harness.record.notebook.plotting import plot
    from harness.run.options import EvalOptions
    from harness.run.pipeline import evaluate

__all__ = [
    "EvalOptions",
    "RunRecord",
    "columns",
    "compare",
    "evaluate",
    "gate",
    "in_context",
    "load_record",
    "load_records",
    "plot",
]

_HOMES = {
    "EvalOptions": "harness.run.options",
    "RunRecord": "harness.record",
    "columns": "harness.record.notebook.columns",
    "compare": "harness.decision.comparison",
    "evaluate": "harness.run.pipeline",
    "gate": "harness.decision.gate",
    "in_context": "harness.decision.context",
    "load_record": "harness.record",
    "load_records": "harness.record",
    "plot": "harness.record.notebook.plotting",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: `import harness` must not pay for torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What is public, so that completion and `help` show it."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
