"""What a written formula is worth: read by a grammar of its own, exactly, and never executed."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from fractions import Fraction

__all__ = ["Formula", "in_ascii"]

_LONGEST = 400
_MOST_TOKENS = 80
_MOST_BITS = 4096
_POINTS = (Fraction(7, 5), Fraction(-11, 3), Fraction(13, 17), Fraction(29, 2))
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+|[A-Za-z]+|[-+*/^()])")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_SPELLED = {
    "**": "^",
    r"\cdot": "*",
    r"\times": "*",
    r"\div": "/",
    r"\left": "",
    r"\right": "",
    r"\,": "",
    r"\;": "",
    r"\!": "",
    r"\(": "",
    r"\)": "",
    r"\[": "",
    r"\]": "",
    "\N{MULTIPLICATION SIGN}": "*",
    "·": "*",
    "⋅": "*",
    "\N{ASTERISK OPERATOR}": "*",
    "÷": "/",
    "−": "-",
    "\N{EN DASH}": "-",
    "\N{FRACTION SLASH}": "/",
    "$": "",
    "{": "(",
    "}": ")",
}


def in_ascii(text: str) -> str:
    r"""The formula in ASCII: `\frac{1}{2}` and `½` become quotients, `x²` a power, `·` a star; `$` goes."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: "^" + found[0].translate(_RAISED), text)
    text = re.sub("[¼½¾]", lambda found: "(" + unicodedata.normalize("NFKC", found[0]) + ")", text)
    text = unicodedata.normalize("NFKC", text)
    text = _FRACTION.sub(r"((\1)/(\2))", text)
    for written, meant in _SPELLED.items():
        text = text.replace(written, meant)
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text).strip()


class Formula:
    """A formula of numbers, the four operations, whole powers, brackets and the names that are allowed in it.

    Raises `ValueError` for any other text, and `ZeroDivisionError` for a quotient by 0.
    """

    def __init__(self, text: str, names: tuple[str, ...] = ()) -> None:
        if len(text) > _LONGEST:
            raise ValueError("the formula is too long")
        self._tokens = list(_tokens(in_ascii(text)))
        if len(self._tokens) > _MOST_TOKENS:
            raise ValueError("the formula is too long")
        self._names = names
        self.numbers = [token for token in self._tokens if token[0].isdigit() or token[0] == "."]
        """The numbers in it as they are written, in order."""
        self.has_powers = "^" in self._tokens
        self.values = tuple(self._worth(dict(zip(names, self._at(turn), strict=True))) for turn in range(len(_POINTS)))
        """What it is worth at four points; formulas of low degree that agree on these are equal."""

    def _at(self, turn: int) -> list[Fraction]:
        return [_POINTS[(turn + place) % len(_POINTS)] for place in range(len(self._names))]

    def _worth(self, values: Mapping[str, Fraction]) -> Fraction:
        self._place = 0
        found = self._sum(values)
        if self._next is not None:
            raise ValueError(f"{self._next!r} is not expected")
        return found

    @property
    def _next(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _took(self, *tokens: str) -> str | None:
        found = self._next
        if found not in tokens:
            return None
        self._place += 1
        return found

    def _sum(self, values: Mapping[str, Fraction]) -> Fraction:
        found = self._product(values)
        while sign := self._took("+", "-"):
            other = self._product(values)
            found = found + other if sign == "+" else found - other
        return found

    def _product(self, values: Mapping[str, Fraction]) -> Fraction:
        found = self._signed(values)
        while (sign := self._took("*", "/")) or self._next == "(" or (self._next or "").isalpha():
            other = self._signed(values)
            found = found / other if sign == "/" else found * other
        return found

    def _signed(self, values: Mapping[str, Fraction]) -> Fraction:
        if sign := self._took("+", "-"):
            found = self._signed(values)
            return -found if sign == "-" else found
        base = self._atom(values)
        if not self._took("^"):
            return base
        exponent = self._signed(values)
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if exponent.denominator != 1 or abs(exponent) * bits > _MOST_BITS:
            raise ValueError("the power is no whole one, or too large")
        return base ** int(exponent)

    def _atom(self, values: Mapping[str, Fraction]) -> Fraction:
        token = self._next
        self._place += 1
        if token == "(":
            found = self._sum(values)
            if not self._took(")"):
                raise ValueError("a bracket isn't closed")
            return found
        if token is None or not (token in values or token[0].isdigit() or token[0] == "."):
            raise ValueError(f"{token!r} is not expected")
        return values[token] if token in values else Fraction(token)


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found:
            raise ValueError(f"{text[place:]!r:.20} is no formula")
        yield found[1]
        place = found.end()
