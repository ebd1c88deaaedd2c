"""What is known of lm-eval's tasks before any of their data are there."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import datasets
import huggingface_hub
import pytest

from harness.core.errors import UnavailableError
from harness.lm_eval.outline import hub_size, what_is_fetched
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.suitefiles.selection import lm_eval_names
from harness.suitefiles.showing import show_suite
from harness.tasks.options import TaskOptions

OFFLINE = TaskOptions(offline=True, outline=True)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cache"


def test_a_suite_of_lm_evals_is_shown_without_its_data(empty_cache: Path) -> None:
    shown = {one["name"]: one for one in show_suite("standard", OFFLINE).entries}
    assert len(shown) == 6 + 1 + 1 + 24 + 3 + 7 + 3  # with BBH's, GPQA's, MATH's and MuSR's parts
    assert shown["lm-eval:arc_challenge"]["num_fewshot"] == 25
    assert shown["lm-eval:leaderboard_bbh_snarks"]["num_fewshot"] == 3
    assert "num_fewshot" not in shown["lm-eval:truthfulqa_mc2"]  # its file says that it takes none


def test_what_would_be_fetched_is_told_with_its_size_unless_it_is_kept(empty_cache: Path) -> None:
    names = lm_eval_names(["standard"], ["lm-eval:arc_easy", "piqa"])
    assert names[-1] == "arc_easy"
    sizes = {"openai/gsm8k": 5_200_000, "wis-k/instruction-following-eval": 300}
    told = what_is_fetched(names, OFFLINE, sizes.get)
    assert len(told) == len(set(told)) == 11
    assert {"openai/gsm8k (at most 5.2 MB)", "wis-k/instruction-following-eval (at most 0.1 MB)"} <= set(told)
    assert "allenai/ai2_arc (of unknown size)" in told
    (empty_cache / "openai___gsm8k" / "main").mkdir(parents=True)
    (empty_cache / "allenai___ai2_arc" / "ARC-Challenge").mkdir(parents=True)
    left = what_is_fetched(names, OFFLINE, sizes.get)
    assert [one for one in told if one not in left] == ["openai/gsm8k (at most 5.2 MB)"]  # ARC-Easy is missing yet


def test_a_run_says_what_it_fetches_before_it_fails_to(
    empty_cache: Path, tiny_llama: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = EvalOptions(output=empty_cache, store="none", meter="none")
    with caplog.at_level(logging.INFO), pytest.raises(UnavailableError):
        evaluate(str(tiny_llama), task="lm-eval:gsm8k", options=options)
    assert "fetches first, once: openai/gsm8k (of unknown size)" in caplog.messages


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that knows one data set, of two files."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path.startswith("/api/datasets/some/rows?")
            files = [{"rfilename": "a.parquet", "size": 700}, {"rfilename": "README.md", "size": 50}]
            self.send_response(200 if is_known else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"id": "some/rows", "siblings": files}).encode() if is_known else b"")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        yield
        server.shutdown()


@pytest.mark.usefixtures("hub")
def test_a_hub_is_asked_how_large_a_data_set_is() -> None:
    assert hub_size("some/rows") == 750
    assert hub_size("no/rows") is None
