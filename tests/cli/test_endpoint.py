"""`harness eval --model openai:...` as a user runs it, against `transformers serve` and against bad servers."""

import json
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from harness.record import load_record
from tests.forks import begun
from tests.served import Served, serving

KEY = "sk-a-very-secret-key-0123456789"
SUITE = """
name: writes
description: Small tasks for tests.
tasks:
  - name: foxes
    type: multiple_choice
    data: rows.jsonl
    prompt: "{text}"
    choices: [home, away]
    gold: gold
    metrics: [acc]
  - name: stories
    type: generate_until
    data: rows.jsonl
    prompt: "{text}"
    reference: gold
    metrics: [exact_match]
    max_tokens: 4
"""


@pytest.fixture
def suite(tmp_path):
    rows = [{"text": f"Where does the fox number {n} jump?", "gold": "home"} for n in range(10)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "writes.yaml").write_text(SUITE)
    return tmp_path / "writes.yaml"


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def transformers_serve(model: Path, port: int, folder: Path):
    command = ("-m", "transformers.cli.transformers", "serve", model, "--port", port)
    with begun(*command, "--host", "127.0.0.1", "--device", "cpu", cwd=folder) as server:
        until = time.monotonic() + 120
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=2).read()
                break
            except (URLError, OSError):
                assert server.process.is_alive(), "the server ended"
                assert time.monotonic() < until
                time.sleep(0.2)
        yield server.process


@pytest.mark.slow
def test_a_run_against_transformers_serve_goes_on_after_the_server_was_killed_and_leaks_no_key(
    harness_here, suite, tiny_llama, tmp_path
):
    pytest.importorskip("fastapi")
    port = free_port()
    # Without a family of answers that the server's own template fails on: the tiny checkpoint brings one.
    command = ["eval", "--model", f"openai:http://127.0.0.1:{port}/v1#{tiny_llama}", "--suite", suite]
    command += ["--concurrency", 2, "--request-timeout", 60]
    environment = {"OPENAI_API_KEY": KEY, "HARNESS_CACHE": str(tmp_path / "cache")}
    with (
        transformers_serve(tiny_llama, port, tmp_path) as server,
        begun("-m", "harness", *command, cwd=tmp_path, **environment) as running,
    ):
        until = time.monotonic() + 120
        while not any(path.stat().st_size for path in tmp_path.glob("runs/*/journal*")):
            assert time.monotonic() < until
            assert running.process.is_alive(), running.end()
            time.sleep(0.01)
        server.kill()
        cut = running.end(120)
    assert cut.returncode == 2, cut
    assert "can't be reached" in cut.stderr
    assert "Traceback" not in cut.stderr
    (folder,) = (tmp_path / "runs").glob("*/")
    assert load_record(folder).state == "started"
    with transformers_serve(tiny_llama, port, tmp_path):
        finished = harness_here(*command, **environment)
    assert finished.returncode == 0, finished.stderr
    assert "going on where an earlier process stopped" in finished.stderr
    record = load_record(folder)
    assert record.state == "sealed"
    assert record.verify() == []
    foxes, stories = sorted(record.estimate_list, key=lambda estimate: estimate.task)
    assert (foxes.value, foxes.applies) == (None, False)
    assert "served chat model gives no likelihood" in foxes.reason
    assert stories.n == 10
    assert KEY not in cut.stdout + cut.stderr + finished.stdout + finished.stderr
    assert KEY.encode() not in everything_written(tmp_path)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (lambda *_: (401, {"error": {"message": f"bad {KEY}"}}, {}), "refuses the key in OPENAI_API_KEY"),
        (lambda *_: (429, f"bad {KEY}", {"Retry-After": "0"}), "keeps answering HTTP 429"),
        (lambda *_: (200, f"<html>{KEY}", {}), "not JSON"),
    ],
)
def test_a_server_that_fails_is_one_line_and_exit_code_2(harness_here, suite, tmp_path, before, words):
    with serving(Served(before=before)) as served:
        ended = harness_here(
            "eval",
            "--model",
            f"openai:{served.url}#m",
            "--suite",
            suite,
            OPENAI_API_KEY=KEY,
            HARNESS_CACHE=str(tmp_path),
        )
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert KEY not in ended.stderr + ended.stdout


def test_a_server_that_is_down_is_one_line_and_exit_code_2(harness_here, suite, tmp_path):
    ended = harness_here("eval", "--model", f"openai:http://127.0.0.1:{free_port()}/v1#m", "--suite", suite)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "can't be reached" in ended.stderr


def test_what_was_answered_before_a_failure_is_not_asked_again(harness_here, suite, tiny_llama, tmp_path):
    def fails_late(path, call):
        return (404, {"error": "gone"}, {}) if call > 20 else None

    with serving(Served(folder=tiny_llama, before=fails_late)) as served:
        command = ["eval", "--model", f"openai:{served.url}", "--suite", suite, "--concurrency", 4, "--json"]
        environment = {"OPENAI_API_KEY": KEY, "HARNESS_CACHE": str(tmp_path / "cache")}
        first = harness_here(*command, **environment)
        assert first.returncode == 2
        assert "HTTP 404 (gone)" in first.stderr
        served.before = lambda *_: None
        sent = len(served.paths)
        second = harness_here(*command, **environment)
        asked = sum("prompt" in body for body in served.bodies[sent:]) - 1  # a trial
        assert second.returncode == 0
        assert asked < 30 - 12
    found = {one["task"]: one for one in json.loads(second.stdout)["estimates"]}
    assert found["foxes"]["n"] == found["stories"]["n"] == 10
    assert KEY.encode() not in everything_written(tmp_path)
