"""`harness compress-report`: what it says is what the runs say, and bad input is one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.meters import REPEATS, Window
from harness.core.process.progress import Quiet
from harness.core.text.markdown import plain
from harness.decision import compression as subject
from harness.decision.comparison import compare
from harness.decision.compression import Compression, compression
from harness.record import RunRecord
from harness.report import Words, to_html, to_markdown
from harness.report.compression import compression_document
from harness.run.compressing import evaluate_family
from harness.run.options import EvalOptions
from tests.cli.conftest import write_suite
from tests.suites.fidelity.children import plain_divergences, rounded
from tests.tiny import build_tiny_checkpoint


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compressed")
    suite = write_suite(folder)
    (folder / "beside.yaml").write_text(suite.read_text() + "  - {name: 'fidelity:minutes'}\n")
    build_tiny_checkpoint(folder / "parent", seed=3)
    rounded(folder / "parent", folder / "coarse", levels=2)
    rounded(folder / "parent", folder / "fine", levels=20)
    return folder


def options(place: Path, **more: Any) -> EvalOptions:
    return EvalOptions(output=place / "runs", store="none", meter="none", offline=True, dtype="float32", **more)


@pytest.fixture(scope="module")
def found(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Compression:
    """Two children beside their parent, by a suite file of few texts in place of the suites that are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.run.compressing.referring_suites", lambda: [str(place / "beside.yaml")])
        family = evaluate_family(
            str(place / "parent"),
            [str(place / "coarse"), str(place / "fine")],
            suite=[str(place / "mine.yaml")],
            options=options(place),
            progress=Quiet(),
        )
    assert family.refused == {}
    return compression(family.parent, family.children, family.beside)


def test_each_child_is_as_far_from_its_parent_as_a_plain_loop_says(place: Path, found: Compression) -> None:
    texts = [json.loads(line)["text"] for line in (place / "texts.jsonl").read_text().splitlines()]
    far = []
    for name, child in zip(("coarse", "fine"), found.children, strict=True):
        every = [one for text in texts for one in plain_divergences(place / name, place / "parent", text)]
        (told,) = [one for one in child.distances() if one.metric == "kl_divergence"]
        assert told.value == pytest.approx(sum(every) / len(every), rel=1e-4)
        far.append(told.value)
    assert far[0] > far[1] > 0


def test_differences_are_those_of_compare_and_sizes_those_of_the_checkpoints(found: Compression) -> None:
    for child in found.children:
        record = RunRecord(found.parent.folder.parent / child.comparison.second_run_id)
        alone = compare(found.parent, record, groups=False)
        plain = [(one.metric, one.difference, one.low, one.high) for one in alone.differences]
        assert [(one.metric, one.difference, one.low, one.high) for one in child.comparison.differences] == plain
        assert child.footprint.size_bytes == record.checkpoint["size_bytes"]
        assert child.footprint.bits_per_weight == pytest.approx(32, rel=0.01)
        assert child.footprint.joules_per_token == {}  # no meter: absent, not 0
        assert child.distance_run_id != child.comparison.second_run_id


def test_joules_and_seconds_are_of_the_repeated_work_where_there_is_any() -> None:
    def window(phase: str, stage: str | None, seconds: float, joules: float | None, tokens: int) -> Window:
        return Window(
            phase=phase,
            stage=stage,
            duration_s=seconds,
            energy_joules=joules,
            basis="estimated",
            source="s",
            token_count=tokens,
            reason=None if joules is not None else "unknown",
        )

    work = [window("a/b", "prefill", 2, 10, 100), window("a/b", "decode", 4, None, 8), window("load", None, 9, 99, 0)]
    joules, seconds = subject._rates(work)
    assert joules == {"prefill": 0.1}
    assert seconds == {"prefill": 0.02, "decode": 0.5}
    joules, seconds = subject._rates([*work, window(REPEATS, "decode", 1, 3, 10)])
    assert (joules, seconds) == ({"decode": 0.3}, {"decode": 0.1})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_document_says_it_with_a_figure_of_what_is_gained_for_what_is_lost(
    found: Compression, language: Any
) -> None:
    document = compression_document(found, Words(language))
    text, page = to_markdown(document), to_html(document)
    for child in found.children:
        assert child.comparison.second_model.rpartition("/")[2] in text
        (told,) = [one for one in child.distances() if one.metric == "kl_divergence"]
        assert f"{told.value:.4f}" in text
    assert plain(Words(language).metric("kl_p99")) in text
    assert "<table" in page
    assert ("压缩的代价" in text) == (language == "zh")


def test_without_a_run_beside_the_parent_the_distance_is_absent_with_what_to_do(found: Compression) -> None:
    children = [RunRecord(found.parent.folder.parent / one.comparison.second_run_id) for one in found.children]
    for child in compression(found.parent, children).children:
        assert child.distance == ()
        assert child.reason is not None
        assert "--reference" in child.reason
    kept = compression(found.parent, children, folder=found.parent.folder.parent)
    assert [one.distance_run_id for one in kept.children] == [one.distance_run_id for one in found.children]


def test_a_child_of_another_vocabulary_is_reported_without_a_distance_and_with_the_reason(place: Path) -> None:
    stranger = place / "stranger"
    build_tiny_checkpoint(stranger, seed=3)
    content = json.loads((stranger / "tokenizer.json").read_text())
    words = content["model"]["vocab"]
    first, second = list(words)[300:302]
    words[first], words[second] = words[second], words[first]
    (stranger / "tokenizer.json").write_text(json.dumps(content))
    family = evaluate_family(
        str(place / "parent"),
        [str(stranger)],
        suite=[str(place / "mine.yaml")],
        options=options(place),
        progress=Quiet(),
    )
    (child,) = compression(family.parent, family.children, family.beside, None, family.refused).children
    assert child.distance == ()
    assert child.comparison.differences
    assert child.reason is not None
    assert "stranger can't be held against" in child.reason
    assert "has another vocabulary" in child.reason
    assert str(place) not in child.reason
    assert "词表" in Words("zh").reason(child.reason)


def test_bad_input_is_one_line(place: Path, found: Compression, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.cli.app import app
    from harness.cli.process.guard import guarded

    run = found.parent.run_id
    child = found.children[0].comparison.second_run_id
    folder = str(place / "runs")
    for arguments, said in (
        ([run, str(place / "fine")], "is not a run, but others are"),
        ([run, child, "--suite", "quick"], "has no effect on finished runs"),
        ([run, child, "--language", "fr"], "--language"),
        ([run, child, "--reference", run], "is the parent here"),
        ([str(place / "nowhere"), str(place / "fine"), "--offline"], "nowhere"),
    ):
        code = guarded(lambda: app(["compress-report", *arguments, "--output", folder]))  # noqa: B023
        told = capsys.readouterr()
        assert code == 2, told
        assert said in told.err
        assert told.err.count("\n") == 1
