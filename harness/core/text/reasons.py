"""Sentences for people, in their language: why a score is absent, how a rule decided, how an interval was made."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

__all__ = ["Reason", "but_last", "reworded", "told_parts", "told_together", "unworded", "worded", "wording"]

_PLACE = re.compile(r"{(\w+)}")

_BETWEEN = "between"
_DEEPEST = 8
"""Reasons within reasons that a file may hold."""


class Reason(str):
    """An English sentence that knows how it was made: from which template, with what in its places.

    The template is the key under which catalogues of other languages have it, so that it can be said in each of them
    later; a plain `str` can be given wherever a reason can, and is said as it stands, unless a catalogue has it whole.
    Fields are texts, whole numbers, or reasons of their own; other numbers are given as they ought to be shown.
    """

    template: str
    fields: Mapping[str, str | int]

    def __new__(cls, template: str, /, **fields: str | int) -> "Reason":  # noqa: D102 - see the class
        made = super().__new__(cls, _filled(template, fields))
        made.template, made.fields = template, fields
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str | int]]:
        return (self.template,), dict(self.fields)

    def said_by(self, say: Callable[[str], str]) -> str:
        """The sentence in another language, where `say` has a template or a whole sentence in it."""
        fields = {
            name: field.said_by(say) if isinstance(field, Reason) else say(field) if isinstance(field, str) else field
            for name, field in self.fields.items()
        }
        return _filled(say(self.template), fields)

    def to_json(self) -> dict[str, Any]:
        """Template and fields as JSON values."""
        fields = {name: one.to_json() if isinstance(one, Reason) else one for name, one in self.fields.items()}
        return {"template": self.template, "fields": fields}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], *, deepest: int = _DEEPEST) -> "Reason":
        """The reason that was written by `to_json`. Raises `ValueError` for what is none."""
        match value:
            case {"template": str(template), "fields": dict(fields)} if deepest >= 0:
                read = {
                    name: cls.from_json(field, deepest=deepest - 1) if isinstance(field, dict) else field
                    for name, field in fields.items()
                }
                if all(isinstance(field, str | int) for field in read.values()):
                    return cls(template, **read)
        raise ValueError("no reason: a template, and fields that are texts, whole numbers or reasons")


def _filled(template: str, fields: Mapping[str, str | int]) -> str:
    """The template with its `{name}` places filled; unlike `str.format` it looks into nothing, whoever wrote it."""
    return _PLACE.sub(lambda found: str(fields.get(found[1], found[0])), template)


def told_together(parts: Iterable[str | None], between: str = "; ") -> str:
    """Several reasons as one, with `between` them; those left out that there aren't. Empty without any.

    However many there are, they stand side by side, none within another.
    """
    told = [part for part in parts if part]
    if len(told) <= 1:
        return next(iter(told), "")
    named = {f"part{number}": part for number, part in enumerate(told)}
    return Reason(f"{{{_BETWEEN}}}".join(f"{{{name}}}" for name in named), **{_BETWEEN: between}, **named)


def but_last(reason: str) -> str:
    """What was told together, without the last of several parts."""
    parts = told_parts(reason)
    return told_together(parts[:-1]) if len(parts) > 1 else reason


def told_parts(reason: str) -> list[str]:
    """What was told together, part by part; the reason alone where it is one, nothing of an empty text."""
    if not isinstance(reason, Reason) or _BETWEEN not in reason.fields:
        return [reason] if reason else []
    parts = (reason.fields[name] for name in _PLACE.findall(reason.template) if name != _BETWEEN)
    return [part for part in parts if isinstance(part, str)]


def wording(**texts: str | None) -> dict[str, Any]:
    """How those texts are made that are reasons, as JSON values, by the names under which the texts stand."""
    return {name: text.to_json() for name, text in texts.items() if isinstance(text, Reason)}


def reworded(texts: Mapping[str, Any], wording: Mapping[str, Any]) -> dict[str, Reason]:
    """The texts that `wording` makes, by their names. Raises `ValueError` for what is no wording.

    What it makes otherwise than the text says is left out: the text holds.
    """
    made = {name: Reason.from_json(value) for name, value in wording.items()}
    return {name: reason for name, reason in made.items() if reason == texts.get(name)}


def worded(text: str | None) -> str | None:
    """How a reason is made, as JSON text; None for a plain text, which is told as it stands."""
    return json.dumps(text.to_json()) if isinstance(text, Reason) else None


def unworded(text: str, made: object) -> str:
    """The text as the reason that `worded` told; as it stands where that is none, or makes another text."""
    if not isinstance(made, str):
        return text
    with suppress(ValueError):
        return reworded({"": text}, {"": json.loads(made)}).get("", text)
    return text
