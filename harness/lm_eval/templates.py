"""The one door through which lm-eval renders the templates of a task file that may run no code.

lm-eval's own environment reaches Python's internals, and gets the data set's objects as they are. Here a template is
compiled in jinja2's sandbox, gets plain values, and may take a bounded time and write a bounded text.
"""

import ast
from collections.abc import Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils
from lm_eval.api import task as lm_eval_task

from harness.core.process.time_limit import CPU_S, OverLimit, time_limit
from harness.lm_eval.plain import plain_copy

__all__ = ["MAX_CHARACTERS", "guard_templates", "render"]

MAX_CHARACTERS = 4_000_000
"""A million tokens of English; no template of lm-eval's comes near."""
_SHOWN = 60

_apply_unguarded, _ast_unguarded = utils.apply_template, ast


def guard_templates(*, trusted: bool) -> None:
    """From here on, let lm-eval render templates through `render`; as it does by itself where code is `trusted`."""
    utils.apply_template = _apply_unguarded if trusted else render
    # Lists of choices are written by templates, too, and read as Python's literals.
    lm_eval_task.ast = _ast_unguarded if trusted else SimpleNamespace(literal_eval=_literal)


def render(template: str, document: Mapping[str, Any]) -> str:
    """A template's text for a document, the same as lm-eval's.

    Raises jinja2's errors, `SecurityError` for what reaches out of the sandbox, and `OverLimit` for what takes too
    long or too much memory, or writes more than `MAX_CHARACTERS`.
    """
    values = plain_copy(document)
    try:
        with time_limit(CPU_S):
            text = _compiled(template).render(values)
            text.encode()  # raises for half of a surrogate pair, which is no character
    except OverLimit as error:
        raise OverLimit(f"the template {_shortened(template)!r} {error}") from error
    if len(text) > MAX_CHARACTERS:
        raise OverLimit(
            f"the template {_shortened(template)!r} writes {len(text):,} characters; the limit is {MAX_CHARACTERS:,}"
        )
    return text


def _literal(text: str) -> Any:
    try:
        with time_limit(CPU_S):
            return ast.literal_eval(text)
    except OverLimit as error:
        raise OverLimit(f"what the template wrote, {_shortened(text)!r}, {error} as a Python literal") from error


@lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    environment = SandboxedEnvironment(loader=BaseLoader(), undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["regex_replace"] = utils.env.filters["regex_replace"]
    return environment.from_string(template)


def _shortened(template: str) -> str:
    return template if len(template) <= _SHOWN else f"{template[:_SHOWN]}…"
