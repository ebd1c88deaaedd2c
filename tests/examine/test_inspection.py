"""`harness inspect` and `harness doctor --model`, for a checkpoint of each kind."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import InputError
from harness.examine.checkup import examine_model
from harness.examine.inspection import inspect_checkpoint
from harness.run.options import EvalOptions
from harness.run.planning import plan
from tests import tiny
from tests.cli.conftest import write_suite
from tests.forks import python

BUILDERS = {
    "causal": tiny.build_tiny_checkpoint,
    "masked": tiny.build_tiny_masked,
    "seq2seq": tiny.build_tiny_seq2seq,
    "classifier": tiny.build_tiny_classifier,
    "tagger": tiny.build_tiny_tagger,
    "encoder": tiny.build_tiny_encoder,
}


@pytest.fixture(scope="module", params=BUILDERS)
def built(request, tmp_path_factory) -> tuple[str, Path]:
    return request.param, BUILDERS[request.param](tmp_path_factory.mktemp(request.param) / "model")


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return python("-m", "harness", *words, cwd=cwd)


def test_what_is_said_is_what_the_files_hold(built):
    kind, folder = built
    found = inspect_checkpoint(str(folder)).described()
    assert found["kind"] == kind
    weights = folder / "model.safetensors"
    assert found["size_bytes"] == weights.stat().st_size
    assert found["files"]["model.safetensors"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert found["vocabulary_size"] == 400
    assert found["memory_bytes"] == 4 * found["parameter_count"]
    assert found["bits_per_weight"] == pytest.approx(32, rel=0.15)
    assert (found["chat_template_sha256"] is not None) == (kind == "causal")


def test_every_task_is_defined_or_says_why_not(built):
    kind, folder = built
    verdicts = {(one.suite, one.task): one.reason for one in inspect_checkpoint(str(folder)).tasks}
    defined = {task for (_, task), reason in verdicts.items() if reason is None}
    wanted = {
        "causal": {"piqa", "wikitext_sentences", "text_generation"},
        "masked": {"piqa", "wikitext_pseudo_perplexity"},
        "seq2seq": {"piqa", "text_generation"},
        "encoder": {"simlex_999"},
    }
    assert defined >= wanted.get(kind, set())
    assert (verdicts["perplexity", "wikitext_sentences"] is None) == (kind == "causal")
    if kind == "masked":
        assert verdicts["similarity", "simlex_999"] == "a masked language model gives no embedding of a text"


def test_the_doctor_loads_it_and_asks_it_something(built):
    _, folder = built
    findings = {one.name: one for one in examine_model(str(folder), offline=True)}
    assert {one.status for one in findings.values()} == {"ok"}
    assert "answers a request" in findings["answer"].detail


def test_the_command_prints_all_of_it_and_loads_nothing(tmp_path):
    tiny.build_tiny_masked(tmp_path / "model")
    shown = run("inspect", "--model", "./model", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    for text in (
        "masked language model",
        "BertForMaskedLM",
        "64 tokens",
        "model.safetensors",
        "wikitext_pseudo_perplexity",
    ):
        assert text in shown.stdout
    script = (
        "import sys\nfrom harness.examine.inspection import inspect_checkpoint\ninspect_checkpoint('./model')\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)


def test_the_digest_of_a_chat_template_is_that_of_its_text(tmp_path):
    folder = tiny.build_tiny_checkpoint(tmp_path / "model")
    expected = hashlib.sha256(tiny.CHAT_TEMPLATE.encode()).hexdigest()
    assert inspect_checkpoint(str(folder)).chat_template_sha256 == expected
    (folder / "chat_template.jinja").unlink()
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "chat_template": tiny.CHAT_TEMPLATE}))
    assert inspect_checkpoint(str(folder)).chat_template_sha256 == expected


def test_python_of_the_checkpoints_own_is_named_and_not_run(tmp_path):
    folder = tiny.build_tiny_masked(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForMaskedLM": "odd.OddModel"}}))
    (folder / "odd.py").write_text("raise SystemExit('it was run')")
    shown = run("inspect", "--model", "./model", cwd=tmp_path)
    assert shown.returncode == 0
    assert "(config.json): refused without --trust-remote-code" in shown.stdout


def test_the_kind_belongs_to_the_identity_of_a_run(tmp_path):
    """The same weights, read as another kind, give other figures."""
    folder, suite = tiny.build_tiny_masked(tmp_path / "model"), write_suite(tmp_path)
    plans = [
        plan(str(folder), suite=str(suite), task="", options=EvalOptions(kind=kind, meter="none", output=tmp_path))
        for kind in (None, "masked", "causal")
    ]
    assert [one.spec.kind for one in plans] == ["masked", "masked", "causal"]
    assert plans[0].spec.run_id == plans[1].spec.run_id != plans[2].spec.run_id
    assert [one.planned.task.name for one in plans[0].skipped] == ["minutes"]


def test_labels_without_names_are_counted_and_their_names_asked_for(tmp_path):
    folder = tiny.build_tiny_classifier(tmp_path / "model", labels=("LABEL_0", "LABEL_1", "LABEL_2"))
    shown = run("inspect", "--model", "./model", cwd=tmp_path)
    assert "3, without names" in shown.stdout
    for names, reason in (((), "its labels have no names"), (("a", "b", "c"), "its labels are a, b, c")):
        options = EvalOptions(labels=names, meter="none", output=tmp_path)
        with pytest.raises(InputError, match=f"none of the tasks asked for is defined: {reason}"):
            plan(str(folder), suite="accuracy", task="", options=options)


def test_a_library_that_writes_its_log_to_the_terminal_shows_none_of_ours(tmp_path):
    script = (
        "import logging\nfrom harness.core.process.logs import logged_to\nlogging.basicConfig()\n"
        "with logged_to(logging.FileHandler('log'), logging.DEBUG):\n"
        "    logging.getLogger('harness.some').debug('a detail')"
    )
    shown = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    assert (tmp_path / "log").read_text() == "a detail\n"


def test_another_kind_is_inspected_on_request_and_nonsense_is_refused(tmp_path):
    tiny.build_tiny_masked(tmp_path / "model")
    shown = run("inspect", "--model", "./model", "--kind", "encoder", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["kind_title"] == "sentence encoder"
    wrong = run("inspect", "--model", "./model", "--kind", "maskd", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr.strip() == "harness: maskd: no such kind of checkpoint; did you mean masked?"
