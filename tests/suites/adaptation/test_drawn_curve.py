"""A run of made-up concepts, as it is recorded, scored again and drawn."""

from pathlib import Path

import pytest

from harness.charts import to_svg
from harness.record import RunRecord
from harness.report.context import ReportContext
from harness.report.figures import suite_drawings
from harness.report.words import Words
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate


@pytest.fixture(scope="module")
def learnt(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    options = EvalOptions(limit=2, output=tmp_path_factory.mktemp("learnt"), meter="none", offline=True)
    return evaluate(str(tiny_llama), suite=(), task="made_up_names", options=options)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_curve_is_drawn_beside_its_control(learnt: RunRecord, language: str) -> None:
    words = Words(language)
    (drawing,) = suite_drawings(ReportContext(record=learnt, words=words), words, "adaptation")
    data = drawing.draw(language=language).to_dict()["datasets"]
    (rows,) = data.values()
    lines = {row["task"]: [one["shots"] for one in rows if one["task"] == row["task"]] for row in rows}
    control = words.of("adaptation")("random answers")
    name = {"en": "made-up names", "zh": words.of("adaptation")("made_up_names")}[language]
    assert lines.keys() == {name, f"{name}, {control}"}
    assert lines[name][0] == 0
    assert lines[name] == sorted(lines[name])
    assert len(lines[name]) == len(lines[f"{name}, {control}"]) + 1
    assert to_svg(drawing.draw(language=language))


def test_points_that_the_window_does_not_hold_are_told(learnt: RunRecord) -> None:
    """The tiny checkpoint reads 256 tokens."""
    points = learnt.estimates[learnt.estimates["metric"] == "shots_acc"].set_index("group")
    assert points["value"].notna()["shots=00"]
    lacking = points.loc["shots=32"]
    assert lacking["value"] != lacking["value"]
    assert lacking["reason"] == "a prompt with 32 of the exemplars doesn't fit the model's window"
    assert lacking["invalid_count"] == 0


def test_each_point_of_the_curve_has_its_interval_beside_those_of_other_lines(learnt: RunRecord) -> None:
    words = Words("en")
    (drawing,) = suite_drawings(ReportContext(record=learnt, words=words), words, "adaptation")
    chart = drawing.draw(language="en").to_dict()
    (rows,) = chart["datasets"].values()
    ends = {(one["y"]["field"], one["y2"]["field"]) for layer in chart["layer"] if "y2" in (one := layer["encoding"])}
    assert ends == {("low", "high")}
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    places = {(row["shots"], row["place"]) for row in rows}
    assert len(places) == len(rows)
    # Each point is nearest to the step that it belongs to.
    counts = sorted({row["shots"] for row in rows})
    assert all(counts[round(place)] == shots for shots, place in places)
