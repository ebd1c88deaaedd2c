"""The Python interface."""

import json
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pandas as pd
import pytest

import harness
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError, RecordError
from harness.core.process.progress import Quiet
from harness.core.tasks import Suite
from harness.record import RunWriter
from harness.run.pipeline import run
from harness.run.planning import plan
from tests.cli.conftest import write_suite


@pytest.fixture
def options(tmp_path):
    return harness.EvalOptions(output=tmp_path / "runs", meter="none")


def test_evaluate_returns_a_record_with_frames(tiny_llama, tmp_path, options):
    record = harness.evaluate(str(tiny_llama), suite=str(write_suite(tmp_path)), options=options)
    assert isinstance(record.estimates, pd.DataFrame)
    assert record.estimates["metric"].tolist()[:2] == ["acc", "acc_norm"]
    by_hand = record.scores.query("task == 'foxes' and metric == 'acc'")["value"].mean()
    assert record.estimates["value"][0] == pytest.approx(by_hand)
    smaller = harness.evaluate(str(tiny_llama), suite=str(write_suite(tmp_path)), limit=5, options=options)
    assert set(smaller.estimates["n"]) == {5}
    again = harness.load_record(record.folder)
    pd.testing.assert_frame_equal(again.scores, record.scores)


def test_importing_harness_costs_no_torch():
    script = "import sys, harness, harness.cli; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_what_is_not_public_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        harness.evalute  # noqa: B018 - reading it is the test


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "x"}, "limit='x': is not a whole number, 'all' or None"),
        ({"step": "x"}, "step='x': is not a whole number or None"),
        ({"step": True}, "step=True: is not a whole number or None"),
        ({"dtype": 16}, "dtype=16: is not a text"),
        ({"output": 5}, "output=5: is not a path"),
        ({"tags": "lr=1"}, "tags='lr=1': is not a list of texts"),
        ({"offline": "no"}, "offline='no': is not True or False"),
        ({"thinking": "maybe"}, "thinking='maybe': is not 'auto', 'on' or 'off'"),
        ({"tensor_parallel": 0}, "tensor_parallel=0: must be at least 1"),
        ({"endpoint": EndpointOptions(concurrency=900)}, "concurrency=900: must be at most 256"),
    ],
)
def test_an_option_of_the_wrong_type_or_size_is_named_in_one_line(given, said):
    with pytest.raises(InputError) as refused:
        harness.evaluate("smollm2-135m", options=harness.EvalOptions(**given))
    assert str(refused.value) == said


def test_other_arguments_of_the_wrong_type_are_named_too(tmp_path):
    for given, said in (
        ({"model": 5}, "model=5: is not a text"),
        ({"model": "m", "suite": ["accuracy", 5]}, "suite=5: is not a text"),
        ({"model": "m", "limit": 2.5}, "limit=2.5: is not a whole number, 'all' or None"),
        ({"model": tmp_path / "none"}, f"{tmp_path / 'none'}: no such path"),  # a path is as good as its name
        ({"model": "m", "options": {"limit": 1}}, "{'limit': 1}: is no EvalOptions"),
    ):
        with pytest.raises(InputError) as refused:
            harness.evaluate(**given)
        assert str(refused.value).startswith(said)


def test_a_task_that_asks_the_same_is_not_asked_twice(tiny_llama, tmp_path, options):
    """Two declared tasks over the same rows: the second finds every answer in the journal."""
    path = write_suite(tmp_path)
    text = path.read_text()
    start = text.index("  - name: foxes")
    twin = text[start : text.index("  - name: minutes")].replace("foxes", "twins")
    path.write_text(text + twin)
    record = harness.evaluate(str(tiny_llama), suite=str(path), options=options)
    journal = (record.folder / "journal.jsonl").read_text().splitlines()
    assert len(journal) == 24 * 3 + 6
    assert len(record.samples) == 24 * 3 * 2 + 6


def test_changing_the_metrics_of_a_task_file_makes_another_run(tiny_llama, tmp_path, options):
    path = write_suite(tmp_path)
    first = harness.evaluate(str(tiny_llama), suite=str(path), options=options)
    path.write_text(path.read_text().replace("[acc, acc_norm]", "[acc]"))
    second = harness.evaluate(str(tiny_llama), suite=str(path), options=options)
    assert first.run_id != second.run_id
    assert "acc_norm" not in set(second.estimates["metric"])


def test_invalid_answers_are_absent_with_a_reason_and_make_the_run_partial(tmp_path, options):
    """Finite weights whose logits overflow: no score is a number."""
    import torch
    from transformers import AutoModelForCausalLM

    from tests.tiny import build_tiny_checkpoint

    folder = build_tiny_checkpoint(tmp_path / "overflowing")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        model.get_output_embeddings().weight.fill_(3e38)
    model.save_pretrained(folder)
    record = harness.evaluate(str(folder), suite=str(write_suite(tmp_path)), options=options)
    assert record.is_partial
    assert record.estimates["value"].isna().all()
    assert record.estimates["reason"].str.contains("NaN or infinite").all()
    assert (record.estimates["n"] == 0).all()
    assert (record.estimates["invalid_count"] > 0).all()


class _Uneven(Suite):
    """A suite whose headline can't be made: its parts are of two units."""

    name = "mine"
    tasks = ("foxes", "minutes")
    headline = (("foxes", "acc"), ("minutes", "bits_per_byte"))


def test_what_fails_once_all_is_answered_keeps_the_answers_and_says_how_to_go_on(tiny_llama, tmp_path, options):
    planned = plan(str(tiny_llama), suite=str(write_suite(tmp_path)), task=(), options=options)
    uneven = replace(planned, selection=replace(planned.selection, suites=(_Uneven(),)))
    with closing(RunWriter(options.output, planned.spec)) as writer:
        with pytest.raises(RecordError) as caught:
            run(uneven, writer, Quiet())
        answered = (writer.folder / "journal.jsonl").read_bytes()
    told = str(caught.value)
    assert told.count("\n") == 0
    for words in (
        str(writer.folder),
        "answers are complete and kept",
        "share unit and direction",
        "Run the same command again",
    ):
        assert words in told
    record = harness.evaluate(str(tiny_llama), suite=str(tmp_path / "mine.yaml"), options=options)
    assert record.state == "sealed"
    assert (record.folder / "journal.jsonl").read_bytes() == answered


def test_scores_of_texts_name_the_settings_that_they_were_written_with(tiny_llama, tmp_path, options):
    folder = shutil.copytree(tiny_llama, tmp_path / "penalised")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "repetition_penalty": 1.5, "temperature": 0.6}))
    (tmp_path / "rows.jsonl").write_text('{"q": "The fox", "a": "yes"}\n')
    suite = tmp_path / "writing.yaml"
    suite.write_text(
        "name: writing\ntasks:\n"
        '  - {name: free, type: generate_until, data: rows.jsonl, prompt: "{q}", reference: a, max_tokens: 2}\n'
        "  - {name: read, type: loglikelihood_rolling, data: rows.jsonl, text: q}\n"
    )
    record = harness.evaluate(str(folder), suite=str(suite), options=options)
    signatures = dict(zip(record.estimates["task"], record.estimates["signature"], strict=True))
    assert "|generation:eos_token_id=2,repetition_penalty=1.5|" in signatures["free"]
    assert "generation" not in signatures["read"]
