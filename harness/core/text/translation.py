"""Words of an interface in the reader's language: English is the key, a catalogue holds the rest."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import yaml

__all__ = ["LANGUAGES", "Translate", "naming", "translator"]

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""Languages of the interface by code, each by its own name."""

Translate = Callable[[str], str]


def translator(package: Path, language: str) -> Translate:
    """From an English text to that in `language`, by the catalogue `locale/LANGUAGE.yaml` of a package's folder.

    A text that the catalogue lacks stays English. Placeholders in braces are for the caller to fill in.
    """
    known = {} if language == "en" else _catalogue(package / "locale" / f"{language}.yaml")
    return lambda text: known.get(text, text)


def naming(package: Path, language: str) -> Translate:
    """From the name by which a record knows a task or metric to what people call it; English has such names, too.

    A name that the catalogue `locale/LANGUAGE.yaml` lacks stays as it is.
    """
    known = _catalogue(package / "locale" / f"{language}.yaml")
    return lambda name: known.get(name, name)


@cache
def _catalogue(path: Path) -> Mapping[str, str]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}
