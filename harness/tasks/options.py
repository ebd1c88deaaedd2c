"""What the user allows tasks to do."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TaskOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Where else lm-eval tasks are looked for, which foreign code may run, and whether the network is off.

    `include_path` is a folder of lm-eval YAML files. `trust_task_code` lets `!function` in such a file run Python,
    `trust_metric_code` lets a metric script.
    """

    include_path: Path | None = None
    trust_task_code: bool = False
    trust_metric_code: bool = False
    offline: bool = False
