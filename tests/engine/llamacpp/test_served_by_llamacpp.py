"""The real llama.cpp, which serves a GGUF file: what it was seen to answer in every run, itself in `make llamacpp`."""

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.checkpoints import resolve
from harness.core.errors import ModelError
from harness.core.models import ModelOptions
from harness.core.requests import GenerateUntil, Loglikelihood
from harness.engine.kinds.remote import RemoteModel
from harness.engine.opening import open_model
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from tests.engine import llamacpp
from tests.engine.reference import answers
from tests.engine.vllm.exchanges import exchanged, standing_in
from tests.tiny import build_tiny_checkpoint, build_tiny_gguf, tiny_llama_config

PYTHON = os.environ.get("HARNESS_LLAMACPP")
"""The interpreter of a virtual environment that has xllamacpp."""
HERE = Path(llamacpp.__path__[0])
KEPT = HERE / "exchanges.json"
NAME = "tiny"
SUITE = """
name: writes
description: A small task for tests.
tasks:
  - name: stories
    type: generate_until
    data: rows.jsonl
    prompt: "{text}"
    reference: gold
    metrics: [exact_match]
    max_tokens: 16
"""
# No digits: llama.cpp cuts them off words, as the tokenizers that it knows by this name do.
PROMPTS = [
    GenerateUntil(context="Once upon", max_tokens=12),
    GenerateUntil(context="She said that he would", max_tokens=12),
    GenerateUntil(context="公平 and 模型应当", max_tokens=12),
    GenerateUntil(context="The committee met on Tuesday to discuss proposals.", max_tokens=16),
    GenerateUntil(context="Where does the fox jump?", max_tokens=16, until=("e",)),
]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_tiny_checkpoint(tmp_path_factory.mktemp("llamacpp"), config=tiny_llama_config(hidden_size=64), scale=6)


@contextmanager
def llama_server(path):
    command = [str(PYTHON), str(HERE / "serving.py"), str(path), NAME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.fixture(scope="module")
def exchanges(folder):
    """llama.cpp's answers: its own where it is there, which are kept, else those that were."""
    server = llama_server(build_tiny_gguf(folder, folder / "tiny.gguf", quantised=False)) if PYTHON else None
    with exchanged(KEPT, server) as found:
        yield found


def test_chats_that_llama_cpp_serves_are_those_of_our_own_engine(exchanges, folder):
    with standing_in(exchanges) as url:
        checkpoint = resolve(f"openai:{url}/v1")
        # It takes `echo` for nothing, and tells of what it writes alone.
        assert (checkpoint.kind, checkpoint.config["model"]) == ("chat", NAME)
        assert any("tokens read and written" in note for note in checkpoint.notes)
        model = RemoteModel(checkpoint)
        found = answers(model, PROMPTS)
        with pytest.raises(ModelError, match="no likelihood"):
            model.plan([Loglikelihood(context="a", continuation=" b")])
    ours = open_model(resolve(str(folder)), ModelOptions(dtype="float32", apply_chat_template=True))
    expected = answers(ours, PROMPTS)
    for prompt in PROMPTS:
        mine, theirs = found[prompt.id], expected[prompt.id]
        # llama.cpp leaves out the beginning of a character that the tokens didn't suffice for.
        assert mine.text.rstrip("\ufffd") == theirs.text.rstrip("\ufffd")
        assert (mine.stop, mine.context_token_count) == (theirs.stop, theirs.context_token_count)


@pytest.mark.skipif(PYTHON is None, reason="needs xllamacpp (make llamacpp)")
def test_what_llama_cpp_counts_is_what_it_says_of_its_answers(folder, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"text": "{one.context}", "gold": "x"}}\n' for one in PROMPTS))
    (tmp_path / "writes.yaml").write_text(SUITE)
    options = EvalOptions(output=tmp_path / "runs", store="none")
    with llama_server(build_tiny_gguf(folder, tmp_path / "tiny.gguf", quantised=False)) as url:
        record = evaluate(f"openai:{url}/v1", suite=str(tmp_path / "writes.yaml"), task=(), options=options)
    (tokens,) = json.loads((record.folder / "engine.json").read_text()).values()
    assert tokens["asked_token_count"] == record.samples.context_token_count.sum()
    assert tokens["written_token_count"] == record.samples.token_count.sum()
    assert tokens["counted_request_count"] == len(PROMPTS)
    # All begin with the same turn.
    assert 0 < tokens["computed_token_count"] < tokens["asked_token_count"]
