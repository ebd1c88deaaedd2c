"""Questions about pictures, and the grey picture that tells whether a model looks."""

import base64
import re
import shutil
from pathlib import Path

import pytest

from harness.core.requests import Response
from harness.core.tasks import Sample, TaskSettings
from harness.decision.context.levels import chance_level
from harness.media.pictures import image_of
from harness.record import RunRecord
from harness.report.build import build_document
from harness.report.context import ReportContext
from harness.report.html import to_html
from harness.report.words import Words
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rerun import rerun
from suites.vision.digits import Digits
from suites.vision.matching import MatchedDigits
from suites.vision.presence import ObjectPresence

SETTINGS = TaskSettings(limit=4, num_fewshot=0, seed=0)


def answered(task: Digits | ObjectPresence, sample: Sample, seen: int, blind: int) -> dict[str, float | None]:
    """The scores where the choices `seen` and `blind` are the likeliest with the picture and with the grey one."""
    requests = task.requests(sample)
    count = len(sample.choices)
    liked = {seen, count + blind}
    responses = [
        Response(request_id=request.id, loglikelihood=-1.0 if place in liked else -5.0)
        for place, request in enumerate(requests)
    ]
    return {one.metric: one.value for one in task.score(sample, responses) if one.metric != "gold_bits_per_byte"}


def test_what_is_right_without_the_picture_is_no_gain():
    task = Digits()
    sample = task.samples([], SETTINGS)[0]
    assert isinstance(sample.gold, int)
    wrong = (sample.gold + 1) % 10
    assert answered(task, sample, sample.gold, wrong) == {"acc": 1, "acc_blind": 0, "multimodal_gain": 1}
    assert answered(task, sample, sample.gold, sample.gold) == {"acc": 1, "acc_blind": 1, "multimodal_gain": 0}
    assert answered(task, sample, wrong, sample.gold) == {"acc": 0, "acc_blind": 1, "multimodal_gain": -1}


def test_all_digits_are_asked_about_one_grey_picture():
    task = Digits()
    samples = task.samples([], SETTINGS)
    asked = [task.requests(sample) for sample in samples]
    assert len({one.media for requests in asked for one in requests[:10]}) == len(samples)
    assert len({one.id for requests in asked for one in requests[10:]}) == 10
    grey = image_of(asked[0][10].media[0])
    assert set(grey.get_flattened_data()) == {(128, 128, 128)}


def test_a_model_that_always_says_yes_is_half_right_and_says_so():
    task = ObjectPresence()
    scores = [answered(task, sample, 0, 0) for sample in task.samples([], TaskSettings(limit=8, num_fewshot=0, seed=3))]
    assert [score["yes_rate"] for score in scores] == [1] * 8
    assert sum(score["acc"] or 0 for score in scores) == 4
    assert {score["multimodal_gain"] for score in scores} == {0}


@pytest.fixture(scope="module")
def seen(trained_llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    options = EvalOptions(limit=40, output=tmp_path_factory.mktemp("seen"), meter="none", offline=True)
    return evaluate(str(trained_llava_folder), suite=(), task="digits", options=options)


def test_a_model_that_was_trained_to_see_is_told_from_a_blind_one(seen: RunRecord):
    found = {one.metric: one for one in seen.estimate_list if one.task == "digits"}
    assert found["acc"].value is not None
    assert found["acc"].value >= 0.85
    assert found["acc_blind"].value == pytest.approx(0.1, abs=0.11)
    assert found["multimodal_gain"].low is not None
    assert found["multimodal_gain"].low > 0.5
    assert chance_level(seen.samples, "vision", "digits") == 0.1


def test_a_report_shows_the_picture_that_was_asked_about(seen: RunRecord):
    page = to_html(build_document(ReportContext(record=seen, words=Words("en"))))
    assert "[picture or sound]" in page
    (shown,) = re.findall(r'href="data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(shown)[:4] == b"\x89PNG"
    kept = {path.read_bytes() for path in (seen.folder / "media").iterdir()}
    assert base64.b64decode(shown) in kept


def test_a_run_keeps_what_was_seen_once_and_verifies_it(seen: RunRecord, tmp_path: Path):
    copy = RunRecord(Path(shutil.copytree(seen.folder, tmp_path / "copy")))
    assert copy.verify() == []
    kept = sorted((copy.folder / "media").iterdir())
    assert len(kept) == 41  # the digits, and the grey picture once
    kept[0].write_bytes(b"another picture")
    assert copy.verify() == [f"media/{kept[0].name} was changed after the run"]
    name = f"image/png:{kept[0].stem}"
    assert copy.medium(name) is None


def test_samples_are_asked_again_with_the_pictures_of_the_record(seen: RunRecord, trained_llava_folder: Path):
    again = rerun(seen, 3, "a nonce", model=str(trained_llava_folder), offline=True)
    assert again.ok
    assert again.compared_count == 60


def test_the_caption_that_fits_best_is_the_answer():
    task = MatchedDigits()
    sample = task.samples([], SETTINGS)[0]
    assert isinstance(sample.gold, int)
    asked = task.requests(sample)
    texts = asked[0].texts
    assert texts[7] == "the handwritten digit seven"
    chances = {text: 0.55 if place == sample.gold else 0.05 for place, text in enumerate(texts)}
    seen = Response(request_id=asked[0].id, label_scores=chances)
    blind = Response(request_id=asked[1].id, label_scores=dict.fromkeys(texts, 0.1))
    found = {one.metric: one for one in task.score(sample, [seen, blind])}
    assert found["acc"].value == 1
    assert not found["acc"].tie
    assert found["acc_blind"].tie
    assert found["acc_blind"].value == float(sample.gold == 0)
