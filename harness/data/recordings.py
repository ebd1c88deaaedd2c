"""Built-in data sets of recorded speech with what is said in it, out of packages of Debian's."""

import base64
import gzip
import io
import json
import re
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.datasets import DataSet
from harness.core.errors import DataError
from harness.core.process.debs import DebianPackage
from harness.core.process.paths import cache_folder, new_cached_file
from harness.core.text.hashing import SHORT, digest

__all__ = ["RECORDINGS", "RecordingSource"]

_SOUNDS = "usr/share/asterisk/sounds/"
_NOT_SAID = re.compile(r"[\[(<{]")
"""What a text has that describes a sound instead of repeating it: `[ascending tones]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSource:
    """The announcements of the telephone exchange Asterisk in one voice, written once as JSON lines into the cache.

    `texts` is the package that lists what is said, `sounds` the one with the recordings, whose folder is named after
    their `voice`. A row has the clip's `id`, its `text`, and `wav`, a WAV file in base64. Left out are clips without a
    text, and those whose text has brackets: they describe a tone or a pause.
    """

    texts: DebianPackage
    sounds: DebianPackage
    voice: str

    @property
    def description(self) -> str:
        """Where from, for people."""
        return f"recordings of {self.voice} in Debian's package {self.sounds.requirement}"

    def fetch(self, *, offline: bool) -> Path:
        """The path of the file of JSON lines.

        Raises as `DebianPackage.files` does, and `DataError` for packages with other contents than these.
        """
        target = cache_folder() / "recordings" / f"{digest(asdict(self))[:SHORT]}.jsonl"
        if target.is_file():
            return target
        texts = self._texts(offline=offline)
        prefix = f"{_SOUNDS}{self.voice}/"
        found = {
            name.removeprefix(prefix).removesuffix(".wav"): content
            for name, content in self.sounds.files(
                lambda name: name.startswith(prefix) and name.endswith(".wav"), offline=offline
            )
        }
        with new_cached_file(target) as stream:
            for row in _rows(texts, found):
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        return target

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
            text = listed[0].decode("utf-8")
        except UnicodeDecodeError:
            text = listed[0].decode("latin-1")
        lines = [line.strip() for line in text.splitlines()]
        pairs = [line.partition(":") for line in lines if line and not line.startswith(";")]
        return {name.strip(): said.strip() for name, colon, said in pairs if colon and said.strip()}


def _rows(texts: Mapping[str, str], sounds: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    for name, text in sorted(texts.items()):
        if name in sounds and not _NOT_SAID.search(text):
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

RECORDINGS: Sequence[DataSet] = (
    DataSet(
        name="asterisk_en",
        title="Asterisk: announcements of a telephone exchange, spoken in English, with their texts",
        source=_asterisk(
            "en",
            "en_US_f_Allison",
            "973e797d28e37fa6ca3c0a9d6fa717e77cf1268ae916bf09fd3503113cdffa50",
            "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
        ),
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
)
