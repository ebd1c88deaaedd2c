"""A run's folder: one writer, sealed at the end, any change noticed."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.core.errors import RecordError, RecordLockedError
from harness.core.meters import Window
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Estimate, Score
from harness.record import RunSpec, RunWriter, TaskSpec, load_record
from harness.record.spec import run_id_of
from harness.record.tables import response_row, score_row

SPEC = RunSpec(
    model="./model",
    fingerprint="f" * 64,
    kind="causal",
    tasks=(
        TaskSpec(
            suite="accuracy",
            task="piqa",
            version=1,
            limit=2,
            num_fewshot=0,
            sample_count=2,
            data_sha256=None,
            requests_sha256="0" * 64,
            definition_sha256="0" * 64,
            code_sha256="0" * 64,
        ),
    ),
    suites=("accuracy",),
    seed=0,
    dtype="float32",
    device="cpu",
    batch_tokens=64,
    apply_chat_template=False,
    meter="none",
    region=None,
    versions={"torch": "2"},
)
REQUEST = Loglikelihood(context="a", continuation=" b")
RESPONSE = Response(request_id=REQUEST.id, loglikelihood=-1.5, is_greedy=False, token_ids=(1, 2), token_count=1)
SCORE = Score(sample_id="0", metric="acc", value=1.0)
ESTIMATE = Estimate(
    suite="accuracy", task="piqa", metric="acc", value=1.0, n=1, unit="share", direction="higher", signature="s"
)


def finish(root, spec=SPEC):
    writer = RunWriter(root, spec)
    writer.write_json("environment.json", {"started_at": "now"})
    writer.write_json("checkpoint.json", {"notes": []})
    writer.write_json("engine.json", {"accuracy": {"asked_token_count": 9, "computed_token_count": 4}})
    writer.append([RESPONSE])
    record = writer.seal(
        responses=[response_row("accuracy", "piqa", "0", 0, REQUEST, RESPONSE)],
        scores=[score_row("accuracy", "piqa", SCORE)],
        estimates=[ESTIMATE],
        measurements=[],
    )
    writer.close()
    return record


def test_a_sealed_record_is_read_back_as_written(tmp_path):
    record = load_record(finish(tmp_path).folder)
    assert record.spec == SPEC
    assert record.run_id == SPEC.run_id
    assert record.state == "sealed"
    assert record.estimate_list == [ESTIMATE]
    assert record.scores["value"].tolist() == [1.0]
    assert record.samples["continuation"].tolist() == [" b"]
    assert record.token_counts == (9, 4)
    assert record.verify() == []
    assert not record.is_partial


def test_the_run_id_depends_on_all_that_changes_a_score_and_not_on_the_path():
    assert replace(SPEC, model="/elsewhere/model").run_id == SPEC.run_id
    changes = [
        {"fingerprint": "e" * 64},
        {"seed": 1},
        {"dtype": "bfloat16"},
        {"batch_tokens": 65},
        {"apply_chat_template": True},
        {"fewshot_as_multiturn": True},
        {"system_prompt": "Be brief."},
        {"aggregates": {"lm-eval:group": "0" * 64}},
        {"versions": {"torch": "3"}},
        {"tasks": (replace(SPEC.tasks[0], requests_sha256="1" * 64),)},
        {"tasks": (replace(SPEC.tasks[0], multiturn=True),)},
        {"tasks": (replace(SPEC.tasks[0], is_part=True),)},
    ]
    assert len({replace(SPEC, **change).run_id for change in changes} | {SPEC.run_id}) == len(changes) + 1


def test_a_switch_that_nobody_set_is_in_no_run_id():
    told = json.loads(json.dumps(SPEC.to_json()))
    del told["thinking"]
    for task in told["tasks"]:
        del task["multiturn"], task["is_part"]
    assert run_id_of(told) == SPEC.run_id


def test_changing_any_file_shows_and_names_it(tmp_path):
    record = finish(tmp_path)
    for path in sorted(record.folder.iterdir()):
        if path.name in {"seal.json", "run.lock"}:
            continue
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert record.verify() == [f"{path.name} was changed after the run"]
        path.unlink()
        assert record.verify() == [f"{path.name} is missing"]
        path.write_bytes(content)
    assert record.verify() == []


def test_the_same_content_is_the_same_bytes(tmp_path):
    first, second = finish(tmp_path / "a"), finish(tmp_path / "b")
    for name in ("spec.json", "scores.parquet", "responses.parquet", "estimates.json", "seal.json"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


def test_responses_and_windows_survive_the_writer(tmp_path):
    window = Window(phase="load", duration_s=1.0, energy_joules=None, basis="estimated", source="none", reason="why")
    writer = RunWriter(tmp_path, SPEC)
    writer.append([RESPONSE])
    writer.append_window(window)
    writer.close()
    again = RunWriter(tmp_path, SPEC)
    assert again.responses == {REQUEST.id: RESPONSE}
    assert again.windows == [window]
    again.close()


def test_a_second_process_is_told_who_holds_the_run(tmp_path):
    (tmp_path / SPEC.run_id).mkdir()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nfrom pathlib import Path\nfrom harness.record.lock import RunLock\n"
            "lock = RunLock(Path(sys.argv[1]))\nprint('held', flush=True)\nsys.stdin.read()",
            str(tmp_path / SPEC.run_id),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RecordLockedError, match=f"pid {holder.pid}"):
            RunWriter(tmp_path, SPEC)
        holder.kill()
        holder.wait()
        RunWriter(tmp_path, SPEC).close()
    finally:
        holder.kill()
        holder.communicate()


def test_an_unfinished_run_says_so(tmp_path):
    writer = RunWriter(tmp_path, SPEC)
    record = load_record(writer.folder)
    assert record.state == "started"
    with pytest.raises(RecordError, match="not finished"):
        record.verify()
    with pytest.raises(RecordError, match="not finished"):
        record.scores  # noqa: B018 - reading it is the test
    writer.close()


def _read_everything(folder):
    record = load_record(folder)
    return record.estimates, record.scores


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("spec.json", b"{", "is not JSON"),
        ("spec.json", b"{}", "is not a run's spec"),
        ("estimates.json", b'[{"a": 1}]', "list of estimates"),
        ("scores.parquet", b"not parquet", "is damaged"),
    ],
)
def test_a_malformed_file_is_named(tmp_path, name, content, message):
    record = finish(tmp_path)
    (record.folder / name).write_bytes(content)
    with pytest.raises(RecordError, match=message) as caught:
        _read_everything(record.folder)
    assert name in str(caught.value)


def test_no_folder_no_record(tmp_path):
    with pytest.raises(RecordError, match="missing"):
        load_record(tmp_path / "nowhere")


def test_a_folder_that_can_not_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="Choose another --out"):
        RunWriter(tmp_path / "file" / "runs", SPEC)
