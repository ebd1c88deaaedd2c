"""The language of a page of the export, and the page made of a template: every text escaped and made visible."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from harness.core.reports.installed import suite_title
from harness.core.text.display import aim, elided, number, visible
from harness.core.text.reasons import unworded
from harness.core.text.translation import LANGUAGES, translator
from harness.report.words import Language, Words
from leaderboard.words import BoardWords, board_words

__all__ = ["CODES", "Tongue", "script_of"]

CODES: tuple[Language, ...] = ("en", "zh")

_TEMPLATES = files("leaderboard.export").joinpath("templates")


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the export: `say` for the pages, `words` for what reports say, worries and reasons among it.

    `root` is the way from its pages to the folder of the export, and `home` that from there to its pages.
    """

    code: Language
    say: BoardWords
    words: Words

    @classmethod
    def of(cls, code: Language) -> "Tongue":
        """That of a code."""
        own, board = translator(Path(__file__).parent, code), board_words(code, None)
        heard = BoardWords(code, code, lambda text: board(text) if (said := own(text)) == text else said)
        return cls(code, heard, Words(code))

    @property
    def home(self) -> str:
        """The folder of its pages, below that of the export: empty, or ends in a slash."""
        return "" if self.code == CODES[0] else f"{self.code}/"

    @property
    def root(self) -> str:
        """From a page of its own back to the folder of the export."""
        return "" if self.code == CODES[0] else "../"

    def title(self, suite: str) -> str:
        """What people call a suite."""
        return suite_title(suite, self.code)

    def metric(self, suite: str, name: str) -> str:
        """What people call a metric of a suite."""
        return self.words.of(suite).metric(name)

    def reason(self, text: Any, made: Any = None) -> str:
        """A reason as the record or the store has it, in this language; empty without one."""
        return self.words.reason(unworded(text, made if isinstance(made, str) else None)) if _is_text(text) else ""

    def page(self, template: str, file: str, /, **values: Any) -> str:
        """A page by its template; `file` is its name, the same in every language."""
        others = [
            (code, LANGUAGES[code], f"{self.root}{Tongue.of(code).home}{file}") for code in CODES if code != self.code
        ]
        told = {"t": self.say, "tongue": self, "root": self.root, "page": file, "tongues": others}
        return _environment().get_template(template).render({**told, **values})


def script_of(function: str, *values: Any) -> str:
    """A script that calls a function with values, as JSON in which nothing ends a script or hides."""
    return f"{function}({', '.join(map(_json, values))});\n"


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _shown(value: Any) -> Any:
    """What a template prints, with all that hides made visible."""
    if isinstance(value, Markup):
        return value
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    return visible(value) if isinstance(value, str) else value


def _interval(row: Mapping[str, Any] | Any) -> str:
    low, high = (row[name] if isinstance(row, Mapping) else getattr(row, name) for name in ("low", "high"))
    return "" if low is None or high is None or pd.isna(low) or pd.isna(high) else f"{number(low)} … {number(high)}"


def _number(value: Any) -> str:
    return "" if value is None or pd.isna(value) else number(float(value))


@cache
def _environment() -> Environment:
    def source(name: str) -> str:
        return _TEMPLATES.joinpath(name).read_text(encoding="utf-8")

    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
        loader=FunctionLoader(source),
    )
    environment.filters |= {"number": _number, "interval": _interval, "elided": elided}
    environment.filters["best"] = lambda one: aim(one.direction, one.target)
    return environment
