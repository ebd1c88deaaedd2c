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
    "first_of",
    "json_value",
    "last_line",
    "last_number",
    "letter",
    "rules_of",
    "same_answer",
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

_MARK = re.compile(
    r"(?:final answer|answer|endgültige antwort|antwort|lösung|réponse finale|réponse|"
    r"最终答案|正确答案|参考答案|答案|结果)(?:\s+(?:is|ist|lautet|est)\b|\s*[是为]|\s*[:：=])+",
    re.IGNORECASE,
)
_AROUND = "*_`$\"'“”「」『』"
_BEHIND = ".。,，;；"
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,/])[-+−]?(?:\d{1,3}(?:[,\u00a0\u202f]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![A-Za-z0-9_])(?![.,/]\d)"
)
_YES = {"yes": "yes", "no": "no", "true": "yes", "false": "no", "ja": "yes", "nein": "no", "oui": "yes", "non": "no"}
_ZH_YES = {"是": "yes", "对": "yes", "正确": "yes", "否": "no", "不是": "no", "不对": "no", "错误": "no", "错": "no"}
_BRACED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_FENCED = re.compile(r"```[A-Za-z]*\s*\n(.*?)```", re.DOTALL)


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


def same_answer(answer: str, reference: str) -> bool:
    """Whether two answers are the same: as numbers, as JSON values, or as texts whatever their case and spacing."""
    if _plain(answer) == _plain(reference):
        return True
    numbers = [_number_of(one) for one in (answer, reference)]
    if None not in numbers:
        return numbers[0] == numbers[1]
    values = [_json_of(one) for one in (answer, reference)]
    return None not in values and values[0] == values[1]


def first_of(text: str, rules: Sequence[Rule]) -> Extracted | None:
    """What the first rule finds that finds anything."""
    return next((found for rule in rules if (found := rule(text))), None)


def behind_marker(text: str) -> Extracted | None:
    """The rest of the line behind the last `Answer:`, `答案：`, `Antwort:`, `Réponse :` or `the answer is`."""
    places = list(_MARK.finditer(text))
    if not places:
        return None
    line = text[places[-1].end() :].lstrip().split("\n", 1)[0]
    return _found(line, "marked")


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
    """The last number, without separators of thousands: `-1,234.5` gives `-1234.5`. Parts of fractions are none."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    return Extracted(re.sub(r"[,\u00a0\u202f+]", "", found[-1]).replace("−", "-"), "last number")


def letter(letters: str) -> Rule:
    """The one of `letters` that the text gives alone: as all of it, behind a marker, or in brackets."""
    wanted = f"[{re.escape(letters)}]"
    alone = re.compile(rf"^\W*({wanted})(?:[.:：)、．。]|\W*$)", re.MULTILINE)
    bracketed = re.compile(rf"[(（]({wanted})[)）]")

    def read(text: str) -> Extracted | None:
        behind = behind_marker(text)
        first = behind and re.match(rf"\W*({wanted})(?![A-Za-z'])", behind.answer)
        if first:
            return Extracted(first[1], "letter, marked")
        for pattern, name in ((alone, "letter, alone"), (bracketed, "letter, in brackets")):
            found = set(pattern.findall(text))
            if len(found) == 1:
                return Extracted(found.pop(), name)
        return None

    return read


def yes_no(text: str) -> Extracted | None:
    """`yes` or `no`, by the word that begins the answer, marked or not; of English, Chinese, German and French."""
    behind = behind_marker(text)
    said = _bare(behind.answer if behind else text)
    word = re.match(r"[A-Za-zÀ-ÿ]+", said)
    if word and word[0].casefold() in _YES:
        return Extracted(_YES[word[0].casefold()], "yes or no")
    for spelled in sorted(_ZH_YES, key=len, reverse=True):
        if said.startswith(spelled):
            return Extracted(_ZH_YES[spelled], "yes or no")
    return None


def json_value(text: str) -> Extracted | None:
    """The last JSON object or list of the text, in a fenced block or bare, in its shortest form."""
    candidates = [*_FENCED.findall(text), text]
    for candidate in candidates:
        value = _last_json(candidate)
        if value is not None:
            return Extracted(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), "JSON")
    return None


def last_line(text: str) -> Extracted | None:
    """The last line that isn't empty."""
    lines = [line for line in text.splitlines() if _bare(line)]
    return _found(lines[-1], "last line") if lines else None


def _found(text: str, by: str) -> Extracted | None:
    bare = _bare(text)
    return Extracted(bare, by) if bare else None


def _bare(text: str) -> str:
    """Without the space, quotes and emphasis around it, and without the full stop behind it."""
    for around in (_AROUND, _BEHIND, _AROUND):
        text = text.strip()
        text = text.rstrip(around) if around is _BEHIND else text.strip(around)
    return text.strip()


def _plain(text: str) -> str:
    return " ".join(_bare(text).casefold().split())


def _number_of(text: str) -> Fraction | None:
    """The number that a whole text is, exactly; None where it is none."""
    try:
        return Fraction(re.sub(r"(?<=\d)[,\u00a0\u202f](?=\d{3}(?!\d))", "", _bare(text).replace("−", "-")))
    except (ValueError, ZeroDivisionError):
        return None


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _last_json(text: str) -> Any:
    decoder, found, place = json.JSONDecoder(), None, 0
    while (start := next((at for at in range(place, len(text)) if text[at] in "{["), None)) is not None:
        try:
            found, place = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            place = start + 1
    return found
