"""Pictures and sounds that somebody made to do harm, and odd ones that do none."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from harness.core.errors import DataError, RecordError
from harness.core.media import AUDIO, IMAGE, Medium
from harness.core.requests import Transcribe
from harness.media.admission import admit, admitted
from harness.media.pictures import image_of, picture
from harness.media.restored import with_bytes
from harness.media.sounds import samples_of, sound


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it is so large, with any pixels."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


RED = Image.new("RGB", (40, 20), (200, 10, 10))
WHOLE = saved(Image.effect_noise((200, 200), 80), "PNG")
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text><image href="file:///etc/passwd"/></svg>"""
BAD_PICTURES = {
    "a billion pixels": (png(40_000, 40_000), "pixels"),
    "cut short": (WHOLE[: len(WHOLE) // 2], "damaged or cut short"),
    "animated": (saved(RED, "GIF", save_all=True, append_images=[RED.transpose(0), RED.convert("L")]), "animated"),
    "a drawing": (ENTITIES, "is no picture of a kind that is read"),
    "empty": (b"", "is empty"),
    "a text": (b"not a picture at all", "is no picture"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_is_refused_in_one_line(name: str, tmp_path: Path):
    content, expected = BAD_PICTURES[name]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected) as refused:
        admitted(path, IMAGE)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_odd_pictures_become_plain_ones(tmp_path: Path):
    deep = Image.fromarray(np.full((4, 6), 0x8040, dtype=np.uint16))
    turned = RED.getexif()
    turned[0x0112] = 6
    contents = [
        saved(RED.convert("CMYK"), "JPEG", quality=100),
        saved(deep, "PNG"),
        saved(RED, "JPEG", exif=turned, quality=100),
        saved(RED.convert("P"), "PNG"),
    ]
    paths = []
    for number, content in enumerate(contents):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(content)
    found = admit(paths, IMAGE)
    assert all(isinstance(one, Medium) for one in found)
    cmyk, grey, upright, palette = (image_of(one) for one in found)
    assert np.abs(np.asarray(cmyk, dtype=int) - (200, 10, 10)).max() <= 12
    assert grey.getpixel((0, 0)) == (0x80, 0x80, 0x80)
    assert upright.size == (20, 40)
    assert palette.size == RED.size


def wav(samples: int, rate_hz: int = 8000, *, told: int | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(samples, dtype=np.int16), 8000, format="WAV", subtype="PCM_16")
    content = bytearray(stream.getvalue())
    content[24:28] = struct.pack("<I", rate_hz)
    if told is not None:
        content[40:44] = struct.pack("<I", 2 * told)
        content[4:8] = struct.pack("<I", 36 + 2 * told)
    return bytes(content)


def hours(count: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(count * 3600 * 1000, dtype=np.int16), 1000, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


BAD_SOUNDS = {
    "one sample a second": (wav(100, 1), "samples a second"),
    "a billion samples a second": (wav(100, 10**9), "samples a second"),
    "ten hours of silence": (hours(10), "lasts 36,000 seconds"),
    "nothing": (wav(0), "has no sound in it"),
    "a picture": (WHOLE, "is no sound"),
}


@pytest.mark.parametrize("name", BAD_SOUNDS)
def test_a_bad_sound_is_refused_in_one_line(name: str, tmp_path: Path):
    content, expected = BAD_SOUNDS[name]
    path = tmp_path / "sound.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected) as refused:
        admitted(path, AUDIO)
    assert "\n" not in str(refused.value)


def test_a_header_that_lies_gives_no_more_than_there_is(tmp_path: Path):
    path = tmp_path / "sound.wav"
    path.write_bytes(wav(500, told=1 << 29))
    (found,) = admit([path], AUDIO)
    assert isinstance(found, str) or len(samples_of(found)[0]) == 500


def test_channels_become_one_and_one_bad_file_leaves_the_others(tmp_path: Path):
    stereo = np.stack([np.full(100, 0.5), np.full(100, -0.25)], axis=1)
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    soundfile.write(good, stereo, 16000, subtype="FLOAT")
    bad.write_bytes(b"nothing of the kind")
    first, second, third = admit([good, bad, good], AUDIO)
    assert isinstance(second, str)
    assert first == third
    assert isinstance(first, Medium)
    samples, rate_hz = samples_of(first)
    assert rate_hz == 16000
    assert np.abs(samples - 0.125).max() < 1e-4


def test_what_the_harness_wrote_comes_back_as_the_same_bytes(tmp_path: Path):
    noise = np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)
    for number, medium in enumerate((sound(noise, 16000), picture(Image.effect_noise((30, 20), 80)))):
        path = tmp_path / str(number)
        path.write_bytes(medium.data)
        assert admit([path], AUDIO if number == 0 else IMAGE) == [medium]


def test_requests_of_a_record_get_the_sounds_that_they_name(tmp_path: Path):
    path = tmp_path / "sound.flac"
    medium = sound(np.linspace(-1, 1, 500, dtype=np.float32), 8000)
    named = Transcribe(audio=str(medium))
    path.write_bytes(medium.data)
    (found,) = with_bytes([named], {str(medium): path})
    assert isinstance(found, Transcribe)
    assert isinstance(found.audio, Medium)
    assert found.audio.data == medium.data
    path.write_bytes(sound(np.zeros(500, dtype=np.float32), 8000).data)
    with pytest.raises(RecordError, match="another picture or sound"):
        with_bytes([named], {str(medium): path})
    # The same sound, as other libraries would write it.
    stream = io.BytesIO()
    soundfile.write(stream, samples_of(medium)[0], 8000, format="WAV", subtype="PCM_16")
    other = Medium(AUDIO, stream.getvalue())
    path.write_bytes(other.data)
    with pytest.raises(RecordError, match="as the libraries here write"):
        with_bytes([Transcribe(audio=str(other))], {str(other): path})
