"""Recorded speech out of packages of Debian's: the real ones, where they can be had."""

import base64
import io
import wave
from random import Random

import pytest

from harness.checkpoints import resolve
from harness.core.errors import UnavailableError
from harness.core.models import respond
from harness.core.tasks import TaskSettings
from harness.data import fetch
from harness.data.loading import LoadedData
from harness.engine.opening import open_model
from suites.speech.transcription import SAVED, SpokenAnnouncements
from suites.speech.words import WER
from tests.media.long import ALL_RECORDINGS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recordings() -> LoadedData:
    try:
        return fetch("asterisk_en")
    except UnavailableError as error:
        pytest.skip(str(error))


def test_the_published_packages_give_the_pinned_clips_with_their_texts(recordings: LoadedData) -> None:
    assert len(recordings.rows) == 540
    row = next(row for row in recordings.rows if row["id"] == "vm-goodbye")
    assert row["text"] == "Goodbye"
    with wave.open(io.BytesIO(base64.b64decode(row["wav"]))) as clip:
        assert clip.getframerate() == 8000
        assert 0.3 < clip.getnframes() / 8000 < 3


def test_the_packaged_whisper_writes_down_what_is_said(recordings: LoadedData) -> None:
    task = SpokenAnnouncements()
    samples = task.samples(recordings.rows, TaskSettings(limit=5, num_fewshot=0, seed=0))
    asked = {sample.id: task.requests(sample) for sample in samples}
    distinct = {request.id: request for requests in asked.values() for request in requests}
    # The control, silence, is one question for all clips.
    assert len(distinct) == 6
    found = {one.request_id: one for one in respond(open_model(resolve("whisper-tiny-en")), list(distinct.values()))}
    scores = [
        score for sample in samples for score in task.score(sample, [found[request.id] for request in asked[sample.id]])
    ]

    def rate(name: str) -> float:
        metric = {WER.name: WER, SAVED.name: SAVED}[name]
        return metric.reduce([score for score in scores if score.metric == name], Random(0)).value

    assert rate(WER.name) < 0.15
    assert rate(SAVED.name) > 0.7


@pytest.mark.skipif(not ALL_RECORDINGS, reason="several packages of recordings: make recordings")
def test_the_languages_are_those_of_their_own_sets_under_their_codes(recordings: LoadedData) -> None:
    assert recordings.dataset.name == "asterisk_en"
    both, italian = fetch("asterisk_languages"), fetch("asterisk_it")
    mine = [row for row in both.rows if row["language"] == "it"]
    assert [row["id"] for row in mine] == [f"it/{row['id']}" for row in italian.rows]
    assert [row["wav"] for row in mine] == [row["wav"] for row in italian.rows]
    texts = {row["id"]: row["text"] for row in both.rows}
    # A sound of which only its kind is told, and a line that has run into the next.
    assert not {"it/confbridge-join", "it/vm-tempremoved"} & texts.keys()
    assert texts["it/vm-goodbye"].startswith("Arrivederci")
    assert len(texts["ru/all-circuits-busy-now"].split()) == 6
