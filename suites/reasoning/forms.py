"""What an answer looks like: how it is asked for, read and compared. What can't be read is no answer."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from typing_extensions import override

from harness.tasks.extraction import unwrapped
from suites.reasoning.expressions import Formula, in_ascii

__all__ = ["AnswerForm", "Calculation", "Expression", "Names", "Number", "Numbers", "Text"]

_NUMBER = re.compile(r"([-+]?)\s*\(*\s*(\d+(?:\.\d+)?|\.\d+)\)*(?:\s*/\s*\(*(\d+)\)*)?")
_DIGITS = re.compile(r"(?:(?<![\w.)])[-+−])?\d[\d.,/]*")
_UNIT = re.compile(r"(?<=[\d)])\s*(?:°|\^\{?\\circ\}?|(?:\s+[A-Za-z]{3,}\.?)+)$")
_BASE = re.compile(r"\s*(?:_.*|\(?(?:in )?base \w+\)?)$")
_BETWEEN = re.compile(r"\s*(?:[,;，；、&]|\band\b|\bund\b|\bet\b|和|\n)+\s*")
_MINUS = re.compile(r"[\u2212\u2013\u2011]\s*(?=[\d.])")
_LONG = re.compile(r"\d{300,}")
_SHELL = "()[]{}<>\"'`*_$ "


class AnswerForm(ABC):
    """How answers of a kind are read and compared."""

    wanted: str
    """What the question asks for, as the end of a sentence."""

    @abstractmethod
    def read(self, text: str) -> str | None:
        """The answer in one way of writing; None where the text is none of this form."""

    def canonical(self, answer: str) -> str:
        """One text for all answers that are the same."""
        return answer

    def is_right(self, answer: str, gold: str, facts: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Whether an answer as `read` gives it is right; `facts` are what the puzzle says for its check."""
        return answer == self.read(gold)


@dataclass(frozen=True)
class Number(AnswerForm):
    """One number, exact: `0.5`, `1/2` and `\\frac{2}{4}` are the same, a sum isn't worked out for the model.

    In a sentence it is the only number there.
    """

    wanted: str = "a number"

    @override
    def read(self, text: str) -> str | None:
        text = _plain(text)
        found = _number(_right_side(text))
        if found is None:
            only = _DIGITS.findall(text)
            found = _number(only[0].rstrip(".,")) if len(only) == 1 else None
        return None if found is None else str(found)


@dataclass(frozen=True)
class Numbers(AnswerForm):
    """Several numbers, in the order that is asked for, or in any where `ordered` is False."""

    wanted: str
    ordered: bool = True

    @override
    def read(self, text: str) -> str | None:
        parts = _parts(text)
        if len(parts) == 1:
            parts = parts[0].split()
        found = [_number(_right_side(part)) for part in parts]
        known = [one for one in found if one is not None]
        if not known or len(known) < len(found):
            return None
        return ", ".join(map(str, known if self.ordered else sorted(known)))


@dataclass(frozen=True)
class Names(AnswerForm):
    """Names out of those of the question, in any order; `none` for none of them."""

    wanted: str

    @override
    def read(self, text: str) -> str | None:
        parts = [part.casefold().rstrip(".") for part in _parts(text)]
        if not parts or any(len(part.split()) != 1 for part in parts):
            return None
        return ", ".join(sorted(set(parts)))


@dataclass(frozen=True)
class Text(AnswerForm):
    """A word or a string of digits, whatever its case."""

    wanted: str
    prefixes: Sequence[str] = ()

    @override
    def read(self, text: str) -> str | None:
        bare = _right_side(_plain(text)).strip(_SHELL).rstrip(".").casefold()
        prefix = next((one for one in self.prefixes if bare.startswith(one)), "")
        bare = _BASE.sub("", bare.removeprefix(prefix))
        return bare if bare and len(bare.split()) == 1 else None


@dataclass(frozen=True)
class Expression(AnswerForm):
    """A formula in some names; two are equal where they are worth the same everywhere."""

    wanted: str
    names: tuple[str, ...] = ()

    @override
    def read(self, text: str) -> str | None:
        bare = in_ascii(_right_side(text))
        try:
            Formula(bare, self.names)
        except (ValueError, ZeroDivisionError):
            return None
        return re.sub(r"\s+", "", bare)

    @override
    def canonical(self, answer: str) -> str:
        return str(Formula(answer, self.names).values)

    @override
    def is_right(self, answer: str, gold: str, facts: Mapping[str, Any]) -> bool:
        return self.canonical(answer) == self.canonical(gold)


@dataclass(frozen=True)
class Calculation(AnswerForm):
    """The four operations on given numbers, each used once, that make a target: one of many right answers."""

    wanted: str

    @override
    def read(self, text: str) -> str | None:
        bare = in_ascii(max(text.split("="), key=len))
        try:
            Formula(bare)
        except (ValueError, ZeroDivisionError):
            return None
        return re.sub(r"\s+", "", bare)

    @override
    def is_right(self, answer: str, gold: str, facts: Mapping[str, Any]) -> bool:
        formula = Formula(answer)
        used = sorted(formula.numbers) == sorted(map(str, facts["numbers"]))
        return used and not formula.has_powers and formula.values[0] == facts["target"]


def _plain(text: str) -> str:
    """Without what LaTeX and tags put around words, minus signs as one, spaces single; no number is longer."""
    text = re.sub(r"\b(?:minus|negative|moins)\s+(?=\d)", "-", _MINUS.sub("-", unwrapped(text)), flags=re.IGNORECASE)
    return _LONG.sub("", re.sub(r"[ \t]+", " ", text))


def _right_side(text: str) -> str:
    """What stands behind the last equals sign, without a unit."""
    return _UNIT.sub("", text.rsplit("=", 1)[-1].strip())


def _number(text: str) -> Fraction | None:
    bare = in_ascii(text).strip("()")
    found = _NUMBER.fullmatch(bare)
    if not found:
        return None
    sign, number, below = found.groups()
    if below is not None and int(below) == 0:
        return None
    value = Fraction(number) / int(below or 1)
    return -value if sign == "-" else value


def _parts(text: str) -> list[str]:
    bare = re.sub(r"\\[()\[\]{}]", "", _plain(text)).strip(_SHELL)
    return [part for one in _BETWEEN.split(bare) if (part := one.strip(_SHELL))]
