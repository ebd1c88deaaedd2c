"""Reads pictures and sounds that anybody may have made, in a process of its own: see `harness.media.admission`.

Run as a script, with a job as JSON on its standard input. Says one line of JSON for each file, as soon as it is done:
null, or what is wrong with it in words that follow its name.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageOps, UnidentifiedImageError

from harness.core.media import AUDIO
from harness.media.pictures import picture
from harness.media.sounds import sound

PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
SOUNDS = ("WAV", "WAVEX", "FLAC", "OGG", "AIFF", "MP3")
MOST_PIXELS = 1 << 25
LONGEST_S = 3600
RATES_HZ = (1000, 384_000)
MOST_CHANNELS = 16
_PIECE = 1 << 20


class UnfitMedium(Exception):  # noqa: N818 - its text is what is said of the file
    """A file that isn't taken, and why."""


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin)
    _limit(resource.RLIMIT_AS, job["memory_bytes"])
    _limit(resource.RLIMIT_CPU, job["cpu_s"])
    _limit(resource.RLIMIT_CORE, 0)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    take = _sound if job["media_type"] == AUDIO else _picture
    for number, path in enumerate(job["files"]):
        said = None
        try:
            (Path(job["folder"]) / str(number)).write_bytes(take(Path(path)))
        except UnfitMedium as refused:
            said = str(refused)
        except MemoryError:
            said = "takes more memory than a file of its kind should"
        except Exception as error:  # of libraries that meet what nobody foresaw
            said = f"can't be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _limit(kind: int, most: int) -> None:
    """No more than that, and no more than whoever started the harness allows."""
    _, hard = resource.getrlimit(kind)
    least = most if hard == resource.RLIM_INFINITY else min(hard, most)
    resource.setrlimit(kind, (least, least))


def _picture(path: Path) -> bytes:
    try:
        image: Image.Image = Image.open(path, formats=PICTURES)
    except UnidentifiedImageError as error:
        raise UnfitMedium(f"is no picture of a kind that is read ({', '.join(PICTURES)})") from error
    except Image.DecompressionBombError as error:
        raise UnfitMedium(f"has more than {MOST_PIXELS:,} pixels, the limit") from error
    if image.width * image.height > MOST_PIXELS:
        raise UnfitMedium(f"has {image.width:,} x {image.height:,} pixels; the limit is {MOST_PIXELS:,}")
    count = int(getattr(image, "n_frames", 1))
    if count > 1:
        raise UnfitMedium(f"is animated ({count} pictures): give one picture")
    try:
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise UnfitMedium(f"is damaged or cut short ({error})") from error
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    return picture(ImageOps.exif_transpose(image)).data


def _sound(path: Path) -> bytes:
    try:
        stream = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise UnfitMedium(f"is no sound of a kind that is read ({', '.join(SOUNDS)})") from error
    with stream:
        _refuse_odd(stream)
        # Whole numbers as they are: a sound of ours comes out as the very same bytes.
        numbers, loudest = ("int16", 32767) if stream.subtype == "PCM_16" else ("float32", 1)
        told, pieces = stream.frames, []
        while len(piece := stream.read(_PIECE, dtype=numbers, always_2d=True)):
            pieces.append((piece.mean(axis=1) / loudest).astype(np.float32))
        samples = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    if len(samples) < told:
        raise UnfitMedium(f"is cut short: its header tells of {told:,} samples, and it has {len(samples):,}")
    if not len(samples):
        raise UnfitMedium("has no sound in it")
    if not np.isfinite(samples).all():
        raise UnfitMedium("has samples that are no numbers")
    return sound(samples, stream.samplerate).data


def _refuse_odd(stream: soundfile.SoundFile) -> None:
    lowest, highest = RATES_HZ
    if stream.format not in SOUNDS:
        raise UnfitMedium(f"is of the format {stream.format}, which is none of {', '.join(SOUNDS)}")
    if not lowest <= stream.samplerate <= highest:
        raise UnfitMedium(f"has {stream.samplerate:,} samples a second, which is not from {lowest:,} to {highest:,}")
    if stream.channels > MOST_CHANNELS:
        raise UnfitMedium(f"has {stream.channels} channels; the limit is {MOST_CHANNELS}")
    if stream.frames > LONGEST_S * stream.samplerate:
        raise UnfitMedium(f"lasts {stream.frames / stream.samplerate:,.0f} seconds; the limit is {LONGEST_S:,}")


if __name__ == "__main__":
    main()
