"""Words of an interface in the reader's language: English is the key, a catalogue holds the rest."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

__all__ = ["LANGUAGES", "Translate", "filled_translator", "translator"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""Languages of the interface by code, each by its own name."""

Translate = Callable[[str], str]


def translator(package: Path, language: str) -> Translate:
    """From an English text to that in `language`, by the catalogue `locale/LANGUAGE.yaml` of a package's folder.

    A text that the catalogue lacks stays English. Placeholders in braces are for the caller to fill in.
    """
    known = {} if language == "en" else _catalogue(package / "locale" / f"{language}.yaml")
    return lambda text: known.get(text, text)


@cache
def _catalogue(path: Path) -> Mapping[str, str]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}


def filled_translator(package: Path, language: str) -> Translate:
    """As `translator`, for sentences whose places were filled elsewhere: by the most particular entry that fits.

    What stands in a place is said in the language, too, where an entry fits it. What none fits stays as it is.
    """
    patterns = () if language == "en" else _patterns(package / "locale" / f"{language}.yaml")

    def said(text: str) -> str:
        for pattern, sentence in patterns:
            if found := pattern.fullmatch(text):
                return sentence.format(**{name: said(part) for name, part in found.groupdict().items()})
        return text

    return said


@cache
def _patterns(path: Path) -> Sequence[tuple[re.Pattern[str], str]]:
    entries = sorted(_catalogue(path).items(), key=lambda entry: -len(_PLACE.sub("", entry[0])))
    return tuple((re.compile(_as_pattern(english)), said) for english, said in entries)


_PLACE = re.compile(r"{(\w+)}")


def _as_pattern(english: str) -> str:
    # Splitting by a pattern with a group gives text and names in turn.
    parts = _PLACE.split(english)
    return "".join(f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
