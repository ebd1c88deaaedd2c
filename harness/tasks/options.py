"""What the user allows tasks to do, and how they are to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LM_EVAL", "ChatOptions", "TaskOptions"]

LM_EVAL = "lm-eval"
"""The suite of lm-eval's tasks, and what stands before the colon of their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """The chat that a task asks its questions in: exemplars as turns of their own or in one, and a system prompt."""

    fewshot_as_multiturn: bool = True
    system_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Where else lm-eval tasks are looked for, which foreign code may run, and whether the network is off.

    `include_path` is a folder of lm-eval YAML files; these may read below their own folder, there, and in `task_data`,
    folders or the beginnings of URLs. `trust_task_code` lets `!function` in such a file run Python,
    `trust_metric_code` lets a metric script. `chat` is for tasks that make chats themselves; None where there is none.
    With `outline` only what the files of lm-eval's tasks say is read, and nothing is fetched: such a task can't run.
    `gen_kwargs` count in place of what an lm-eval task says of how its texts are written; None takes a setting away.
    """

    include_path: Path | None = None
    task_data: tuple[str, ...] = ()
    trust_task_code: bool = False
    trust_metric_code: bool = False
    offline: bool = False
    outline: bool = False
    chat: ChatOptions | None = None
    gen_kwargs: Mapping[str, Any] = field(default_factory=dict)
