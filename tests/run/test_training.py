"""Where a checkpoint stands in its training: what the user says, what the trainer wrote, and that no score knows."""

import json
import shutil
from pathlib import Path

import pytest

import harness
from harness.checkpoints import resolve
from harness.checkpoints.trainer_state import stated_point
from harness.core.errors import InputError
from harness.core.training.point import TrainingPoint
from harness.record import RunRecord
from harness.record.spec import run_id_of
from harness.run.options import EvalOptions
from harness.store import Store, index_folder, locate
from leaderboard.data import queries


@pytest.fixture
def checkpoint(tiny_llama: Path, tmp_path: Path) -> Path:
    """Step 500 of a training, as transformers' Trainer leaves it."""
    folder = tmp_path / "my-training" / "checkpoint-500"
    shutil.copytree(tiny_llama, folder)
    state = {"global_step": 500, "epoch": 0.5, "log_history": [{"loss": 2.5, "step": 500}]}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    return folder


def evaluated(checkpoint: Path, folder: Path, **said: object) -> RunRecord:
    options = EvalOptions(output=folder, meter="none", store="none", **said)  # type: ignore[arg-type]
    return harness.evaluate(str(checkpoint), task="piqa", limit=2, options=options)


def test_the_trainers_word_is_taken_and_the_users_goes_before_it(checkpoint: Path, tmp_path: Path) -> None:
    stated = evaluated(checkpoint, tmp_path / "stated")
    assert (stated.spec.lineage, stated.spec.step, stated.spec.tags) == ("my-training", 500, {})
    said = evaluated(checkpoint, tmp_path / "said", lineage="other", step=7, tags=("lr=3e-4", "data = mix 2"))
    assert (said.spec.lineage, said.spec.step) == ("other", 7)
    assert said.spec.tags == {"lr": "3e-4", "data": "mix 2"}
    assert str(said.spec.training) == "other, step 7, data=mix 2, lr=3e-4"
    # It is sealed, and it changes neither the run nor any score.
    assert said.verify() == []
    assert said.run_id == stated.run_id
    assert (said.folder / "estimates.json").read_bytes() == (stated.folder / "estimates.json").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"global_step": -1}',
        '{"global_step": true}',
        '{"global_step": "9"}',
        "{}",
        "\x00",
        '{"global_step": 1e3}',
    ],
)
def test_a_trainers_file_that_says_no_step_is_none_and_that_is_told(
    checkpoint: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (checkpoint / "trainer_state.json").write_text(content)
    assert stated_point(resolve(str(checkpoint))) == TrainingPoint()
    (told,) = caplog.messages
    assert told.startswith(str(checkpoint / "trainer_state.json"))
    assert told.endswith("--lineage and --step say it")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"tags": ("lr",)}, "is not KEY=VALUE"),
        ({"tags": ("=3",)}, "is not KEY=VALUE"),
        ({"tags": ("lr=1", "lr=2")}, "says lr a second time"),
        ({"lineage": " "}, "is no name"),
        ({"lineage": "\udcff"}, "is no name"),
        ({"step": -1}, "must be at least 0"),
    ],
)
def test_what_cant_be_kept_is_refused(tiny_llama: Path, tmp_path: Path, said: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        evaluated(tiny_llama, tmp_path / "runs", **said)


def test_the_index_knows_step_and_tags_and_a_record_of_before_has_neither(checkpoint: Path, tmp_path: Path) -> None:
    record = evaluated(checkpoint, tmp_path / "runs", tags=("lr=3e-4",))
    with Store(locate(None, record.folder.parent)) as store:
        index_folder(store, record.folder.parent)
        row = queries.checkpoints(store).iloc[0]
    assert (row["lineage"], row["step"], json.loads(row["tags"])) == ("my-training", 500, {"lr": "3e-4"})
    path = record.folder / "spec.json"
    spec = json.loads(path.read_text())
    for name in ("lineage", "step", "tags"):
        del spec[name]
    assert run_id_of(spec) == record.run_id
    path.write_text(json.dumps(spec))
    assert str(RunRecord(record.folder).spec.training) == ""
