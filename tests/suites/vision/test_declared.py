"""Questions about a user's own pictures."""

import json
from pathlib import Path

import pytest
from PIL import Image

from harness.core.errors import DataError, HarnessError
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from suites.vision.digits import NAMES, digit_image, written_digits

SUITE = """
name: mine
tasks:
  - name: my_digits
    type: visual_choice
    data: digits.jsonl
    image: file
    prompt: "Question: Which digit is this?\\nAnswer:"
    choices: [zero, one, two, three, four, five, six, seven, eight, nine]
    gold: name
    gold_is: text
    metrics: [acc, acc_blind, macro_f1]
  - name: my_words
    type: visual_written
    data: digits.jsonl
    image: file
    prompt: "Question: Which digit is this?\\nAnswer:"
    reference: name
    max_tokens: 4
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A suite file about twelve digits, beside their pictures."""
    images, names = written_digits()
    (tmp_path / "pictures").mkdir()
    rows = []
    for number in range(12):
        # As photographs come: JPEG, and turned by a note.
        image = digit_image(images[number]).rotate(90, expand=True)
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(tmp_path / "pictures" / f"{number}.jpg", quality=95, exif=exif)
        rows.append({"file": f"pictures/{number}.jpg", "name": NAMES[names[number]]})
    (tmp_path / "digits.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "mine.yaml").write_text(SUITE)
    return tmp_path / "mine.yaml"


def run(model: Path, suite: Path, output: Path) -> RunRecord:
    options = EvalOptions(output=output, meter="none", offline=True)
    return evaluate(str(model), suite=[str(suite)], task=(), options=options)


def test_own_pictures_are_asked_about_upright(trained_llava_folder: Path, mine: Path, tmp_path: Path):
    record = run(trained_llava_folder, mine, tmp_path / "runs")
    found = {(one.task, one.metric): one.value for one in record.estimate_list if one.group is None}
    assert (found["my_digits", "acc"] or 0) >= 0.6  # lying on their side, hardly any is
    assert (found["my_digits", "acc_blind"] or 0) <= 0.25
    assert (found["my_words", "accuracy_all"] or 0) >= 0.6
    assert (found["my_digits", "macro_f1"] or 0) >= 0.4
    assert ("my_digits", "multimodal_gain") not in found


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pictures/0.jpg", b"GIF89a no more than a beginning", "damaged|no picture"),
        ("../outside.png", None, "lies outside of its folder"),
        ("missing.png", None, "no such file"),
        ("a\0b.png", None, "lies outside of its folder"),
        (f"{'x' * 300}.png", None, "can't be opened"),
    ],
)
def test_a_picture_that_cannot_be_used_is_named(
    trained_llava_folder: Path, mine: Path, tmp_path: Path, name: str, content: bytes | None, said: str
):
    Image.new("RGB", (4, 4)).save(tmp_path.parent / "outside.png")
    if content is not None:
        (mine.parent / name).write_bytes(content)
    (mine.parent / "digits.jsonl").write_text(json.dumps({"file": name, "name": "one"}) + "\n")
    with pytest.raises(DataError, match=said) as refused:
        run(trained_llava_folder, mine, tmp_path / "runs")
    assert "\n" not in str(refused.value)


def test_a_text_checkpoint_is_not_asked_to_see(tiny_llama: Path, mine: Path, tmp_path: Path):
    with pytest.raises(HarnessError, match="reads no texts with pictures in them"):
        run(tiny_llama, mine, tmp_path / "runs")
