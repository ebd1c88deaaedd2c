"""The real vLLM: what it was seen to answer over HTTP in every run, and the package itself in `make vllm`."""

import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.remote import RemoteModel
from tests.engine.reference import answers
from tests.engine.vllm.exchanges import exchanged, standing_in
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

PYTHON = os.environ.get("HARNESS_VLLM")
"""The interpreter of a virtual environment that has vLLM."""
KEPT = Path(__file__).parent / "exchanges.json"
NAME = "tiny"
LONG = "The committee met on Tuesday to discuss 1,024 proposals. " * 3
PAIRS = [
    *(Loglikelihood(context=LONG, continuation=f" {word}") for word in ("yes", "no, they walked on", "中文")),
    Loglikelihood(context="She said", continuation=" that he would never go home again"),
    Loglikelihood(context="公平 and 模型应当", continuation="公平、稳健、可解释。"),
]
TEXT = LoglikelihoodRolling(text="a whole text about energy and schools")
PROMPTS = [
    GenerateUntil(context="Once upon", max_tokens=6),
    GenerateUntil(context="She said that", max_tokens=12, until=("e", "\n")),
]
FP32_NATS = 5e-4

real = pytest.mark.skipif(PYTHON is None, reason="needs vLLM (make vllm)")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random Llama whose heads are as wide as vLLM's kernels want them."""
    config = tiny_llama_config(hidden_size=64, num_attention_heads=2, num_key_value_heads=1)
    return build_tiny_checkpoint(tmp_path_factory.mktemp("vllm"), config=config, scale=4)


@pytest.fixture(scope="module")
def ours(folder):
    return CausalModel(load_model(resolve(str(folder)), dtype="float32", device="cpu"), batch_tokens=512)


@contextmanager
def vllm_server(folder, name, *options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", folder, "--served-model-name", name]
    command += ["--port", port, "--host", "127.0.0.1", "--dtype", "float32", "--enforce-eager", *options]
    settings = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    environment = {**settings, **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}}
    server = subprocess.Popen(list(map(str, command)), env=environment, start_new_session=True)
    try:
        until = time.monotonic() + 400
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=2).read()
                break
            except (URLError, OSError):
                assert server.poll() is None, "vLLM ended"
                assert time.monotonic() < until, "vLLM doesn't come up"
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def exchanges(folder):
    """vLLM's answers: its own where it is there, which are kept, else those that were."""
    with exchanged(KEPT, vllm_server(folder, NAME, "--max-model-len", 256) if PYTHON else None) as found:
        yield found


def test_log_likelihoods_and_texts_that_vllm_serves_are_those_of_our_own_engine(exchanges, ours):
    with standing_in(exchanges) as url:
        checkpoint = resolve(f"openai:{url}/v1#{NAME}")
        assert checkpoint.kind == "completions"
        assert checkpoint.max_length == 256
        found = answers(RemoteModel(checkpoint), [*PAIRS, TEXT, *PROMPTS])
    expected = answers(ours, [*PAIRS, TEXT, *PROMPTS])
    for pair in PAIRS:
        assert found[pair.id].loglikelihood == pytest.approx(expected[pair.id].loglikelihood, abs=FP32_NATS)
        assert found[pair.id].is_greedy == expected[pair.id].is_greedy
        assert found[pair.id].token_count == expected[pair.id].token_count
    # vLLM leaves out the beginning of a character that the tokens didn't suffice for.
    assert [found[one.id].text for one in PROMPTS] == [expected[one.id].text.rstrip("\ufffd") for one in PROMPTS]
    # This checkpoint's tokenizer puts no beginning-of-text token before a text.
    assert "first token" in found[TEXT.id].invalid


IN_PROCESS = """
import json, sys
from harness.checkpoints import resolve
from harness.core.models import ModelOptions, respond
from harness.engine.opening import open_model
from tests.engine.vllm.test_served_by_vllm import PAIRS, PROMPTS, TEXT

if __name__ == "__main__":
    model = open_model(resolve(sys.argv[1], kind="vllm"), ModelOptions(dtype="float32"))
    found = {one.request_id: one for one in respond(model, [*PAIRS, TEXT, *PROMPTS])}
    fields = ("loglikelihood", "is_greedy", "token_count", "text", "invalid")
    said = {name: [getattr(one, field) for field in fields] for name, one in found.items()}
    print("ANSWERS " + json.dumps(said))
"""


@real
@pytest.mark.vllm
def test_log_likelihoods_and_texts_in_vllm_are_those_of_our_own_engine(folder, ours, tmp_path):
    (tmp_path / "ask.py").write_text(IN_PROCESS)
    settings = {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONPATH": str(Path.cwd())}
    ended = subprocess.run(
        [str(PYTHON), str(tmp_path / "ask.py"), str(folder)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            **settings,
            "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),
        },
        timeout=600,
        check=False,
    )
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("ANSWERS ")] or [ended.stderr[-2000:]]
    found = json.loads(line.removeprefix("ANSWERS "))
    requests = [*PAIRS, TEXT, *PROMPTS]
    for request, expected in ((one, answers(ours, [one])[one.id]) for one in requests):
        nats, is_greedy, count, text, invalid = found[request.id]
        assert nats == pytest.approx(expected.loglikelihood, abs=FP32_NATS)
        assert (is_greedy, count, text, invalid) == (
            expected.is_greedy,
            expected.token_count,
            expected.text,
            expected.invalid,
        )
