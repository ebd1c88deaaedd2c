"""Where the answer stands in what a model wrote: rules that each say what they found, and None where they find none.

A rule never guesses: where a text gives two answers in one place it has none, and the sample is told as unread. Markers
are those of English, Chinese, German and French.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

__all__ = [
    "Extracted",
    "Rule",
    "RuleName",
    "behind_marker",
    "boxed",
    "canonical_answer",
    "fenced",
    "first_number",
    "first_of",
    "is_number",
    "json_value",
    "last_line",
    "last_number",
    "letter",
    "number_by",
    "rules_of",
    "same_answer",
    "unwrapped",
    "yes_no",
]


@dataclass(frozen=True, slots=True)
class Extracted:
    """An answer, and the name of the rule that found it."""

    answer: str
    by: str


Rule = Callable[[str], Extracted | None]
RuleName = Literal["boxed", "marked", "number", "letter", "yes_no", "json", "last_line"]
"""What a suite file calls the rules."""

_MARK = (
    r"(?:final answer|answer|endgültige antwort|antwort|lösung|réponse finale|réponse|"
    r"最终答案|正确答案|参考答案|答案|结果)"
)
_MARKED_LINE = re.compile(
    rf"^[^\w\n]*(?:the |my |die |la )?{_MARK}[*_`]*(?:[ \t]+(?:is|ist|lautet|est)\b|[是为])?[*_`]*[ \t]*[:：=]",
    re.IGNORECASE | re.MULTILINE,
)
_MARKED = re.compile(
    rf"{_MARK}[*_`]*(?:[ \t]+(?:is|ist|lautet|est)\b|[ \t]*[是为])?[*_`]*[ \t]*[:：=]|"
    rf"{_MARK}(?:[ \t]+(?:is|ist|lautet|est)\b|[ \t]*[是为])",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname)\s*\{([^{}]*)\}")
_TAGS = re.compile(r"</?(?:answer|response|solution)>|<\|(?:begin|end)_of_solution\|>|\\[()\[\]]", re.IGNORECASE)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_AROUND = "*_`$\"'“”「」『』"
_BEHIND = ".。,，;；"
_MINUS = re.compile(r"[\u2212\u2013\u2011](?=\s?[\d.])")
_SPACED = re.compile(r"(?<=\d)[\u00a0\u202f\u2009'\u2019](?=\d{3}(?!\d))")
_SCALED = re.compile(
    r"(?<=\d) (?=(?:hundred|thousand|million|billion|trillion|Millionen|Milliarden|millions|milliards)\b)"
)
_WIDE = str.maketrans({**{0xFF10 + digit: str(digit) for digit in range(10)}, 0xFF0E: ".", 0xFF0D: "-"})
_ASIDE = re.compile(r"\([^()]*=[^()]*\)")
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
_RAISED = "²³¹¼-¾⁰-₎⅐-⅟百千万亿萬億"
"""What stands beside them is no number by itself, as in 3½, 10⁶, 1010₂ and 3万."""
_RUN = re.compile(rf"[A-Za-z0-9_.,/+\-%°€£¥]*\d[A-Za-z0-9_.,/+\-%°{_RAISED}]*")
_MIXED = re.compile(r"(?<=\d) (?=\d+/\d)")
_NUMBER = re.compile(rf"([-+]?)[€£¥]?({_PLAIN})(/\d+)?(?!st$|nd$|rd$|th$)(?:[%°]|[A-Za-z]{{1,3}})?")
_THOUSANDS = ("k", "K", "M", "bn", "mn")
_LONGEST = 300
"""Characters of a number: longer ones are none that anybody asked for, and cost time to compare."""
_YES = {"yes": "yes", "no": "no", "true": "yes", "false": "no", "ja": "yes", "nein": "no", "oui": "yes", "non": "no"}
_EITHER = re.compile(r"(?:yes|no|ja|nein|oui|non|true|false)\s*(?:/|or\b|oder\b|ou\b)", re.IGNORECASE)
_ZH_NO = re.compile(r"(?:不是|不对|不正确|是?错误?|否|不)(?=[的了吗\W]|$)")
_ZH_YES = re.compile(r"(?:是|对|正确)(?=[的了吗\W]|$)")
_BRACED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_FENCED = re.compile(
    r"^(?:(?!```|~~~)[^\n])*(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<block>.*?)"
    r"(?:^[ \t]*(?P=fence)|(?P=fence)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


def rules_of(names: Sequence[RuleName], letters: str) -> list[Rule]:
    """The rules of these names; `letters` are those that `letter` looks for."""
    known: dict[RuleName, Rule] = {
        "boxed": boxed,
        "marked": behind_marker,
        "number": last_number,
        "letter": letter(letters),
        "yes_no": yes_no,
        "json": json_value,
        "last_line": last_line,
    }
    return [known[name] for name in names]


def first_of(text: str, rules: Sequence[Rule]) -> Extracted | None:
    """What the first rule finds that finds anything."""
    return next((found for rule in rules if (found := rule(text))), None)


def number_by(text: str, rules: Sequence[Rule]) -> Extracted | None:
    """The number in what the first rule finds that holds a digit; None where it can't be told which is meant."""
    places = (found for rule in rules if (found := rule(text)))
    place = next((one for one in places if any(map(str.isdigit, one.answer))), None)
    number = first_number(place.answer) if place else None
    return Extracted(number, place.by) if place and number else None


def same_answer(answer: str, reference: str) -> bool:
    """Whether two answers are the same: as numbers, as JSON values, or as texts whatever their case and spacing."""
    return canonical_answer(answer) == canonical_answer(reference)


def canonical_answer(answer: str) -> str:
    """One text for all answers that are the same."""
    number = _number_of(answer)
    if number is not None:
        return str(number)
    try:
        # So that 1 and 1.0 are one number, and true is none.
        return json.dumps(json.loads(answer, parse_int=float), sort_keys=True)
    except (ValueError, RecursionError):
        return " ".join(_bare(answer).casefold().split())


def is_number(answer: str) -> bool:
    """Whether an answer as a whole is a number."""
    return _number_of(answer) is not None


def unwrapped(text: str) -> str:
    r"""The text without LaTeX's `\text{...}`, brackets of formulas and tags around an answer; fractions as `1/2`."""
    before = None
    while before != text:
        before, text = text, _FRACTION.sub(r"\1/\2", _WRAPPED.sub(r"\1", text))
    return _TAGS.sub("", text.translate(_WIDE))


def fenced(text: str) -> list[str]:
    """The blocks of code in a text, as Markdown fences them; the last one needs no end.

    Words may stand before the fence that opens a block, and code before the one that ends it, if nothing follows.
    """
    return [found["block"] for found in _FENCED.finditer(text)]


def behind_marker(text: str) -> Extracted | None:
    """What stands behind `Answer:`, `答案：`, `Antwort:`, `Réponse :` or `the answer is`.

    The last line that begins so counts; where there is none, the last place. It is the rest of that line, or else the
    next line that isn't empty.
    """
    places = [found.end() for found in _MARKED_LINE.finditer(text)]
    places = places or [found.end() for found in _MARKED.finditer(text)]
    if not places:
        return None
    lines = text[places[-1] :].split("\n")
    return next((found for line in lines if (found := _found(line, "marked"))), None)


def boxed(text: str) -> Extracted | None:
    r"""What stands in the last `\boxed{...}`, braces balanced."""
    places = list(_BRACED.finditer(text))
    if not places:
        return None
    start, depth = places[-1].end(), 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0) if text[place - 1] != "\\" else 0
        if depth == 0:
            return _found(text[start:place], "boxed")
    return None


def last_number(text: str) -> Extracted | None:
    """The last number, without separators of thousands: `-1,234.5` gives `-1234.5`; None where the last isn't plain."""
    found = _runs(text)
    number = _plain(found[-1]) if found else None
    return Extracted(number, "last number") if number else None


def first_number(text: str) -> str | None:
    """The number that an answer begins with, or the only one in it.

    Of an equation it is the left side where that is a number (`18 = 9 * 2`), else the right one (`2 + 3 = 5`).
    """
    bare = _ASIDE.sub(" ", unwrapped(text))
    left, equals, _ = bare.partition("=")
    is_left = bool(equals) and re.fullmatch(rf"\W*{_PLAIN}\s*[A-Za-z%°]*\s*", left) is not None
    side = (left if is_left else bare.rsplit("=", 1)[-1]).strip().lstrip(_AROUND + "\\")
    side = re.sub(r"\A-\s(?=\d)", "-", side)
    runs = _runs(side)
    begins = bool(runs) and re.match(r"[-+\u2212\u2013\u2011€£¥$]?\s?[\d.]", side) is not None
    return _plain(runs[0]) if len(runs) == 1 or begins else None


def letter(letters: str) -> Rule:
    """The one of `letters` that the text gives alone: in a box, behind a marker, as all of a line, or in brackets."""
    wanted = f"[{re.escape(letters)}]"
    begins = re.compile(rf"[^\w\n]*({wanted})(?=\s*(?:$|[).:：、．。*(\-\u2013\u2014]))")
    alone = re.compile(rf"^[^\w\n]*({wanted})(?:[.:)：、．。]|[^\w\n]*$)", re.MULTILINE)
    bracketed = re.compile(rf"[(（]({wanted})[)）]")

    def read(text: str) -> Extracted | None:
        for behind in (boxed(text), behind_marker(text)):
            if behind:
                first = begins.match(behind.answer)
                return Extracted(first[1], f"letter, {behind.by}") if first else None
        found = {*alone.findall(text), *bracketed.findall(text)}
        return Extracted(found.pop(), "letter, alone") if len(found) == 1 else None

    return read


def yes_no(text: str) -> Extracted | None:
    """`yes` or `no`, by the word that begins the answer, marked or not; of English, Chinese, German and French."""
    behind = behind_marker(text)
    said = _bare(behind.answer if behind else text)
    if _EITHER.match(said):
        return None
    word = re.match(r"[A-Za-zÀ-ÿ]+", said)
    if word:
        answer = _YES.get(word[0].casefold())
    else:
        answer = "no" if _ZH_NO.match(said) else "yes" if _ZH_YES.match(said) else None
    return Extracted(answer, "yes or no") if answer else None


def json_value(text: str) -> Extracted | None:
    """The last JSON object or list of the text, in the last fenced block with one, or bare; in its shortest form."""
    for candidate in (*reversed(fenced(text)), text):
        value = _last_json(candidate)
        if value is not None:
            return Extracted(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), "JSON")
    return None


def last_line(text: str) -> Extracted | None:
    """The last line that isn't empty."""
    return next((found for line in reversed(text.splitlines()) if (found := _found(line, "last line"))), None)


def _found(text: str, by: str) -> Extracted | None:
    bare = _bare(text)
    return Extracted(bare, by) if bare else None


def _bare(text: str) -> str:
    """Without what wraps it, the space, quotes and emphasis around it, and the full stop behind it."""
    text = unwrapped(text)
    for around in (_AROUND, _BEHIND, _AROUND):
        text = text.strip()
        text = text.rstrip(around) if around is _BEHIND else text.strip(around)
    return text.strip()


def _runs(text: str) -> list[str]:
    """Stretches with digits in them, as `_plain` reads them."""
    text = _SCALED.sub("", _SPACED.sub("", _MINUS.sub("-", unwrapped(text))))
    text = _MIXED.sub("_", re.sub(r"(?<=\d) ?/ ?(?=\d)", "/", text))
    return [run.rstrip(".,") for run in _RUN.findall(text)]


def _plain(run: str) -> str | None:
    found = _NUMBER.fullmatch(run) if len(run) <= _LONGEST and not run.endswith(_THOUSANDS) else None
    if not found:
        return None
    sign, digits, below = found.groups()
    return f"{sign.replace('+', '')}{digits.replace(',', '')}{below or ''}"


def _number_of(text: str) -> Fraction | None:
    """The number that a whole text is, exactly; None where it is none."""
    bare = _bare(text)
    runs = _runs(bare) if len(bare) <= _LONGEST else []
    number = _plain(runs[0]) if len(runs) == 1 and runs[0] == _SPACED.sub("", _MINUS.sub("-", bare)) else None
    try:
        return None if number is None else Fraction(number)
    except (ValueError, ZeroDivisionError):
        return None


def _last_json(text: str) -> Any:
    decoder, found, place = json.JSONDecoder(), None, 0
    while (start := next((at for at in range(place, len(text)) if text[at] in "{["), None)) is not None:
        try:
            found, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = _behind_bracket(text, start)
    return found


def _behind_bracket(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`; the end of the text where there is none."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] in "{[") - (text[place] in "}]")
        if depth == 0:
            return place + 1
    return len(text)
