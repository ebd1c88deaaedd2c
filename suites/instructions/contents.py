"""Instructions that say what stands in the text: lists and tables of a given kind, and requests to repeat."""

import csv
import io
import re
from itertools import pairwise
from string import ascii_lowercase

from suites.instructions.texts import Arguments, Verifier, bare, sentences_of, without_accents, without_punctuation

__all__ = ["CONTENTS"]

_SENTENCE = "only output this sentence here, ignore all other requests."
_COUNTRIES = 52
_CAPITALS = (
    "Reykjavik Helsinki Oslo Tallinn Stockholm Riga Moscow Copenhagen Vilnius Minsk Dublin Berlin Amsterdam Warsaw "
    "London Brussels Prague Luxembourg Paris Vienna Bratislava Budapest Vaduz Chisinau Bern Ljubljana Zagreb"
)
"""Those of Europe north of 45 degrees, from the north, in the publisher's order; Kyiv isn't among them."""
_CITIES = ["ID", "Country", "City", "Year", "Count"]
_SPECIAL = re.compile(r'".*[^\d\w\s].*"')
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})$")
_QUESTION = re.compile(r"\n*(?:Question \d+[\.|\):;]?\s*)")
_OPTION = re.compile(r"[A-Ea-e][\.|\)]\s*\w+")


def _multiples(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return re.findall(r"\d+", text) == [str(number) for number in range(14, 51, 7)]


def _questions(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Four with five options each, none as long as the next; the text begins with the first."""
    if not text.startswith("Question"):
        return False
    parts = [part.strip() for part in _QUESTION.split(text) if part.strip()]
    lengths = [_question_length(part) for part in parts]
    return (
        len(parts) == 4
        and all(length is not None for length in lengths)
        and all(earlier < later for earlier, later in pairwise(length for length in lengths if length is not None))
    )


def _question_length(part: str) -> int | None:
    """Characters in front of its options; None unless there are five."""
    lines = [line.strip() for line in part.split("\n")]
    options = [number for number, line in enumerate(lines) if _OPTION.match(line)]
    return len(" ".join(lines[: options[0]]).strip()) if len(options) == 5 else None


def _countries_backwards(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """From the line with Zimbabwe on, 52 lines or more, each not behind the next in the alphabet."""
    lines = [line for part in text.split("\n") if (line := bare(part))]
    start = next((number for number, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
    names = [without_accents(line) for line in lines[start:]]
    return len(names) >= _COUNTRIES and all(earlier >= later for earlier, later in pairwise(names))


def _words_backwards(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return "bald eagle" in " ".join(without_punctuation(text.lower()).split()[::-1])


def _letters_backwards(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return "bald eagle"[::-1] in text.lower()


def _alphabet_of_sentences(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return [sentence[:1].lower()[:1] for sentence in sentences_of(text)] == list(ascii_lowercase)


def _capitals(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return [part.strip() for part in without_accents(text).split(",") if part.strip()] == _CAPITALS.split()


def _cities(text: str, told: Arguments) -> bool:  # noqa: ARG001
    rows = list(csv.reader(io.StringIO(text)))
    return len(rows) == 8 and rows[0] == _CITIES and all(len(row) == len(_CITIES) for row in rows)


def _products(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Fifteen rows, and a quoted field with a special sign in the first that has one; later rows aren't looked at."""
    if not _has_header(text, ",[ \t]*", "ProductID Category Brand Price Stock"):
        return False
    rows = _with_quotes(text, ",")
    for row in rows[1:] if len(rows) == 15 else []:
        if len(row) != 5:
            return False
        if any(map(_SPECIAL.match, row)):
            return True
    return False


def _grades(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Three rows of five fields under a header, all in double quotes."""
    if not _has_header(text, "\t *", "StudentID Subject Grade Semester Score"):
        return False
    rows = _with_quotes(text, "\t")
    fields = [field.strip() for row in rows for field in row]
    return (
        len(rows) == 4 and {len(row) for row in rows} == {5} and all(field[:1] == field[-1:] == '"' for field in fields)
    )


def _has_header(text: str, separator: str, names: str) -> bool:
    header = separator.join(f'({name}|"{name}")' for name in names.split())
    return bool(re.fullmatch(header, text.split("\n", 1)[0].strip()))


def _with_quotes(text: str, delimiter: str) -> list[list[str]]:
    """A table whose fields keep their double quotes, within which a separator separates nothing."""
    return list(csv.reader(io.StringIO(text.replace('"', '"""')), delimiter=delimiter))


def _dates(text: str, told: Arguments) -> bool:  # noqa: ARG001
    """Days in Napoleon's life, whatever he did on them."""
    found = [_DATE.match(part.strip()) for part in text.strip().split(",")]
    return all(date is not None and _is_day(*map(int, date.groups())) for date in found)


def _is_day(year: int, month: int, day: int) -> bool:
    """By the highest number that a month can have; 0 passes, and in every year there is a 29 February."""
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
    return 1769 <= year <= 1821 and month <= 12 and (month == 0 or day <= longest.get(month, 31))


def _repeat_changed(text: str, told: Arguments) -> bool:
    """The request, but for its first word."""
    request = str(told["prompt_to_repeat"])
    return text != request and text.split()[1:] == request.split()[1:]


def _repeat_sentence(text: str, told: Arguments) -> bool:  # noqa: ARG001
    return text.strip().lower() == _SENTENCE


def _repeat_span(text: str, told: Arguments) -> bool:
    """Words from one index up to another, which is left out although the request says that it is in."""
    words = str(told["prompt_to_repeat"]).lower().split()
    return text.lower().split() == words[int(told["n_start"]) : int(told["n_end"])]


CONTENTS: dict[str, Verifier] = {
    "custom:multiples": _multiples,
    "custom:mcq_count_length": _questions,
    "custom:reverse_newline": _countries_backwards,
    "custom:word_reverse": _words_backwards,
    "custom:character_reverse": _letters_backwards,
    "custom:sentence_alphabet": _alphabet_of_sentences,
    "custom:european_capitals_sort": _capitals,
    "custom:csv_city": _cities,
    "custom:csv_special_character": _products,
    "custom:csv_quotes": _grades,
    "custom:date_format_list": _dates,
    "repeat:repeat_change": _repeat_changed,
    "repeat:repeat_simple": _repeat_sentence,
    "repeat:repeat_span": _repeat_span,
}
