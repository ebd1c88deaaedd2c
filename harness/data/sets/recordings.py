"""Built-in data sets of recorded speech with what is said in it, out of packages of Debian's."""

import base64
import gzip
import io
import re
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.datasets import DataSet
from harness.core.errors import DataError
from harness.core.process.debs import DebianPackage
from harness.core.process.paths import cache_folder
from harness.core.text.hashing import SHORT, digest
from harness.data.sources import cached_rows

__all__ = ["RECORDINGS", "RecordingSource", "SpokenSources"]

_SOUNDS = "usr/share/asterisk/sounds/"
_NOT_SAID = re.compile(r"[\[(<{]|^un suono ")
"""What a text has that describes a sound instead of repeating it: `[ascending tones]`, `un suono di beep`."""
_RUN_ON = re.compile(r"[a-z]+(?:-[a-z]+)+:")
"""The name of a clip within a text, where a list has lost the end of a line: `vm-then-pound: poi premere`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSource:
    """The announcements of the telephone exchange Asterisk in one voice, written once as JSON lines into the cache.

    `texts` is the package that lists what is said, `sounds` the one with the recordings, whose folder is named after
    their `voice`. A row has the clip's `id`, its `text`, and `wav`, a WAV file in base64. Left out are clips without a
    text, those whose text describes a tone or a pause, and those whose line in the list has run into the next.
    """

    texts: DebianPackage
    sounds: DebianPackage
    voice: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"recordings of {self.voice} in Debian's package {self.sounds.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `rows` does."""
        return _written(digest(asdict(self)), self.rows(offline=offline))

    def rows(self, *, offline: bool) -> Iterator[dict[str, Any]]:
        """The rows, by `id`.

        Raises as `DebianPackage.files` does, and `DataError` for packages with other contents than these.
        """
        texts = self._texts(offline=offline)
        prefix = f"{_SOUNDS}{self.voice}/"
        found = {
            name.removeprefix(prefix).removesuffix(".wav"): content
            for name, content in self.sounds.files(
                lambda name: name.startswith(prefix) and name.endswith(".wav"), offline=offline
            )
        }
        yield from _rows(texts, found)

    def _texts(self, *, offline: bool) -> Mapping[str, str]:
        """What is said in each clip, by its name. A line of the list is `name: text`, behind `;` a comment."""
        listed = [
            gzip.decompress(content)
            for name, content in self.texts.files(
                lambda name: re.search(r"/core-sounds-\w+\.txt\.gz$", name) is not None, offline=offline
            )
        ]
        if len(listed) != 1:
            raise DataError(f"holds {len(listed)} lists of texts, not one", place=self.texts.requirement)
        try:
            text = listed[0].decode("utf-8-sig")
        except UnicodeDecodeError:
            text = listed[0].decode("latin-1")
        lines = [line.strip() for line in text.splitlines()]
        pairs = [line.partition(":") for line in lines if line and not line.startswith(";")]
        return {name.strip(): said.strip() for name, colon, said in pairs if colon and said.strip()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenSources:
    """The announcements in several languages, by their codes, in one file.

    A row has its `language` beside what `RecordingSource` gives, and the `id` begins with it: `es/vm-goodbye`.
    """

    by_language: Mapping[str, RecordingSource]

    @property
    def description(self) -> str:
        """Where from, for people."""
        return "; ".join(source.description for source in self.by_language.values())

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines. Raises as `RecordingSource.rows` does."""
        sources = {language: asdict(source) for language, source in self.by_language.items()}
        return _written(digest(sources), self._rows(offline=offline))

    def _rows(self, *, offline: bool) -> Iterator[dict[str, Any]]:
        for language, source in self.by_language.items():
            for row in source.rows(offline=offline):
                yield {**row, "id": f"{language}/{row['id']}", "language": language}


def _written(name: str, rows: Iterator[dict[str, Any]]) -> Path:
    return cached_rows(cache_folder() / "recordings" / f"{name[:SHORT]}.jsonl", rows)


def _rows(texts: Mapping[str, str], sounds: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    for name, text in sorted(texts.items()):
        if name in sounds and not _NOT_SAID.search(text) and not _RUN_ON.search(text):
            with wave.open(io.BytesIO(sounds[name])) as clip:
                if (clip.getnchannels(), clip.getsampwidth()) != (1, 2):
                    raise DataError("isn't one channel of 16 bits", place=name)
            yield {"id": name, "text": text, "wav": base64.b64encode(sounds[name]).decode()}


def _asterisk(language: str, voice: str, texts: str, sounds: str) -> RecordingSource:
    """The packages of one language, by the SHA-256 of that of its texts and that of its sounds."""
    source, version = "asterisk-core-sounds", "1.6.1-1"
    return RecordingSource(
        texts=DebianPackage(project=f"{source}-{language}", source=source, version=version, sha256=texts),
        sounds=DebianPackage(project=f"{source}-{language}-wav", source=source, version=version, sha256=sounds),
        voice=voice,
    )


_HOMEPAGE = "https://downloads.asterisk.org/pub/telephony/sounds/"
_ALIKE = (
    "at 8 kHz as on a telephone, of one voice in a studio; left out are tones, pauses, and lines of the list that have "
    "run together. Most are a word or two"
)

_ENGLISH = _asterisk(
    "en",
    "en_US_f_Allison",
    "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
    "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
)
_SPANISH = _asterisk(
    "es",
    "es_MX_f_Allison",
    "9afdab7f559f036649fb406e625899306ca1004df8ebe39c30bfbd5912d66f74",
    "9283a09a6d56fccdcc2bcfe86c48f0f844289cfbd46a3184d8785a6f7f569903",
)
_FRENCH = _asterisk(
    "fr",
    "fr_CA_f_June",
    "04c82c78c570c43a7136cbc5e2488d0c470b775468dff9fbce4a131b18cf1056",
    "8d4e1bc32ed5ba7fbda40841ca1825ed20cc6232724a473c90f8bb0e53e6073e",
)
_ITALIAN = _asterisk(
    "it",
    "it_IT_m_Carlo",
    "3884d9457e12f21caa018c18f0d587df5d53ebea14b673d8453a134c5941ab3b",
    "5a26638089e134b8ac39363fe249c5c93c50cd8bfdc9b2499ae61ec4a35e2fcb",
)
_RUSSIAN = _asterisk(
    "ru",
    "ru_RU_f_IvrvoiceRU",
    "28a61616bb0cd3345a7ea532dec4df9f071e5d0fa9f8c1a563ea9669002f39ab",
    "ccbfaebfa450b7a9ddf644ae0f3d1e9017d5df7c0aebe816e946345589d38201",
)


def _spoken(
    name: str, source: RecordingSource, said: str, licence: str, citation: str, pinned: str, rows: int, dropped: str
) -> DataSet:
    """The announcements of one language beside English."""
    return DataSet(
        name=name,
        title=f"Asterisk: announcements of a telephone exchange, spoken in {said}, with their texts",
        source=source,
        licence=licence,
        citation=citation,
        homepage=_HOMEPAGE,
        columns=("id", "text", "wav"),
        languages=(name.removeprefix("asterisk_"),),
        sha256=pinned,
        row_count=rows,
        dropped=dropped,
    )


RECORDINGS: Sequence[DataSet] = (
    DataSet(
        name="asterisk_en",
        title="Asterisk: announcements of a telephone exchange, spoken in English, with their texts",
        source=_ENGLISH,
        licence="CC-BY-SA-3.0",
        citation="Smith and Digium (2010), Asterisk core sounds, English, recorded by Allison Smith 2003 to 2010",
        homepage=_HOMEPAGE,
        columns=("id", "text", "wav"),
        sha256="c857823503f6ab57a0b1d672f72716c0480d092979848be6f7262044025ea202",
        row_count=540,
        dropped="540 of 568 recordings, 24 minutes in all, at 8 kHz as on a telephone, of one woman's voice in a "
        "studio. Left out are tones and pauses. Most are a word or two: 186 have at least four words, no figure "
        "or key, and at most 15 seconds. The texts are the script, and a few words differ from what is said.",
    ),
    _spoken(
        "asterisk_es",
        _SPANISH,
        "Spanish",
        "CC-BY-SA-3.0",
        "Smith and Digium (2010), Asterisk core sounds, Spanish, recorded by Allison Smith",
        "fbd525fc1cdfd08c0fb6dfe14466eac921ef3d063cf610fae04637f54e228671",
        476,
        f"476 of 527 recordings, 29 minutes in all, {_ALIKE}: 163 have at least four words, no figure, and at most 15 "
        "seconds. The accent is Mexico's. Most texts have no accents and no ñ, and a few words differ from the sound.",
    ),
    _spoken(
        "asterisk_fr",
        _FRENCH,
        "French",
        "CC-BY-SA-3.0",
        "Wallack and Digium (2008), Asterisk core sounds, French, recorded by June Wallack",
        "9871ec099ce299fafeddd2dddd77cf07376760a3a198652ce1aff4bb9468454e",
        505,
        f"505 of 561 recordings, 23 minutes in all, {_ALIKE}: 193 have at least four words, no figure, and at most 15 "
        "seconds. The accent is Canada's. The texts have slips, and a few words differ from what is said.",
    ),
    _spoken(
        "asterisk_it",
        _ITALIAN,
        "Italian",
        "CC-BY-3.0",
        "Flora and Petrin (2012), Asterisk core sounds, Italian, recorded by Carlo Flora",
        "3ccbd154d93a216988543efa78d4fee3ab6fc267e02dca3bf5e0bb46be4500ca",
        551,
        f"551 of 599 recordings, 21 minutes in all, {_ALIKE}: 174 have at least four words, no figure, and at most 15 "
        "seconds. The voice is a man's. A few words differ from what is said.",
    ),
    _spoken(
        "asterisk_ru",
        _RUSSIAN,
        "Russian",
        "CC-BY-3.0",
        "Topal (2010), Asterisk core sounds, Russian, provided by Maxim Topal",
        "e5506d7cae58cbbce47b21a62120c1e88b12e10cc9d843fbcb2c017a0e91eab1",
        543,
        f"543 of 576 recordings, 23 minutes in all, {_ALIKE}: 164 have at least four words, no figure, and at most 15 "
        "seconds. The letter yo is written with and without its dots, and a few words differ from what is said.",
    ),
    DataSet(
        name="asterisk_languages",
        title="Asterisk: announcements of a telephone exchange, spoken in Spanish, French, Italian and Russian",
        source=SpokenSources(by_language={"es": _SPANISH, "fr": _FRENCH, "it": _ITALIAN, "ru": _RUSSIAN}),
        licence="CC-BY-SA-3.0 (es, fr), CC-BY-3.0 (it, ru)",
        citation="Smith, Wallack, Flora, Topal and Digium (2012), Asterisk core sounds",
        homepage=_HOMEPAGE,
        columns=("id", "text", "wav", "language"),
        languages=("es", "fr", "it", "ru"),
        sha256="ffa79708862a29f168403ccf57c15fee537c276fe4d3ed123df92c3b7078243d",
        row_count=476 + 505 + 551 + 543,
        dropped="All rows of `asterisk_es`, `asterisk_fr`, `asterisk_it` and `asterisk_ru`, one language after the "
        "other; what is said there of each holds here.",
    ),
)
