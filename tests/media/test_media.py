"""Pictures and sounds keep what they show, and nothing else."""

import hashlib
import io
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import ModelError, RecordError
from harness.core.media import IMAGE, Medium, data_of, media_type_of
from harness.core.requests import Embed, MultimodalLoglikelihood, Transcribe
from harness.media.pictures import image_of, picture
from harness.media.sounds import resampled, samples_of, sound
from harness.record.codec import request_columns, request_of
from harness.record.media import grid_of, keep_media, media_in, media_names, require_media, stored_medium


def test_a_medium_is_named_by_type_and_digest_and_brings_its_bytes():
    medium = Medium(IMAGE, b"abc")
    assert medium == f"image/png:{hashlib.sha256(b'abc').hexdigest()}"
    again = pickle.loads(pickle.dumps(medium))
    assert again == medium
    assert data_of(again) == b"abc"
    with pytest.raises(ModelError):
        data_of(str(medium))
    with pytest.raises(ValueError, match="names no medium"):
        media_type_of("image/png:../../etc/passwd")


def test_a_picture_has_its_pixels_and_nothing_else():
    image = Image.new("RGB", (5, 3), (10, 200, 30))
    noted = io.BytesIO()
    exif = image.getexif()
    exif[0x010E] = "at home"
    image.save(noted, format="PNG", exif=exif)
    with_note = Image.open(noted)
    assert with_note.getexif()[0x010E] == "at home"
    medium = picture(with_note)
    assert b"at home" not in medium.data
    assert medium == picture(image)
    assert image_of(medium).tobytes() == image.tobytes()


def test_what_is_transparent_is_white():
    assert image_of(picture(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))).getpixel((0, 0)) == (255, 255, 255)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=50), st.sampled_from([8000, 16000, 44100]))
@settings(max_examples=50, deadline=None)
def test_a_sound_keeps_its_samples_to_16_bits(values, rate_hz):
    samples = np.array(values, dtype=np.float32)
    read, found_hz = samples_of(sound(samples, rate_hz))
    assert found_hz == rate_hz
    assert np.abs(read - samples).max() <= 0.5 / 32767 + 1e-7
    assert sound(read, rate_hz) == sound(samples, rate_hz)


def test_a_tone_keeps_its_pitch_and_loudness_at_another_rate():
    tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    slower = resampled(tone, 16000, 8000)
    expected = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    assert np.abs(slower - expected)[200:-200].max() < 1e-2


def test_requests_with_media_become_themselves_again():
    medium = picture(Image.new("RGB", (2, 2)))
    asked = MultimodalLoglikelihood(context="\ufffc What?", continuation=" a", media=(medium,))
    heard = Transcribe(audio=sound(np.zeros(10, dtype=np.float32), 8000), language="en", reference="nothing")
    for request in (asked, heard):
        row = {**request_columns(request), "request_id": request.id, "suite": "s", "task": "t", "sample_id": "1"}
        assert request_of(row) == request
    assert media_in(asked) == [medium]
    assert media_in(heard) == [heard.audio]


def test_a_run_keeps_each_medium_once_and_notices_other_bytes(tmp_path):
    medium, other = picture(Image.new("RGB", (2, 2))), picture(Image.new("RGB", (2, 2), "red"))
    names = keep_media(tmp_path, [medium, other, medium])
    assert len(names) == 2
    assert stored_medium(tmp_path, str(medium)).data == medium.data
    (tmp_path / names[0]).write_bytes(other.data)
    assert stored_medium(tmp_path, str(medium)) is None


def test_what_a_table_says_of_requests_names_their_media_and_of_others_none():
    heard = Transcribe(audio=sound(np.zeros(10, dtype=np.float32), 8000), language="en")
    asked = [Embed(text="no setting"), heard]
    table = pa.Table.from_pylist([request_columns(one) for one in asked]).to_pandas()
    assert [media_names(one) for one in table["settings"]] == [[], [heard.audio]]
    assert [grid_of(one) for one in (*table["settings"], '{"grid": [2, 3]}')] == [None, None, (2, 3)]
    assert [media_names(one) for one in (None, "[]", "no JSON", "[" * 100_000)] == [[], [], [], []]


def test_a_run_that_lacks_media_says_how_many(tmp_path):
    media = [picture(Image.new("RGB", (2, 2), colour)) for colour in ("red", "blue", "green")]
    keep_media(tmp_path, media[:2])
    require_media(tmp_path, media[:2])
    with pytest.raises(RecordError, match="lacks 1 of the 3 pictures and sounds"):
        require_media(tmp_path, media)
