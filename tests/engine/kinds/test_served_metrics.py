"""What a server says of its energy and its tokens, and runs that are measured by it."""

import json
import time
from dataclasses import dataclass, replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.served.energy import ServerInstrument, counted_joules, find_energy
from harness.checkpoints.served.tokens import counted_tokens
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError
from harness.core.tasks import Results
from harness.core.token_energy import SERVE
from harness.run import metering
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from suites.energy.suite import Energy
from tests.served import Served, serving

DCGM = """\
# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Total energy consumption since boot (in mJ).
# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-1",device="nvidia0"} 1500
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="1",UUID="GPU-2",device="nvidia1"} 2500
# TYPE DCGM_FI_DEV_POWER_USAGE gauge
DCGM_FI_DEV_POWER_USAGE{gpu="0"} 70.5
"""
KEPLER = """\
# TYPE kepler_node_cpu_joules_total counter
kepler_node_cpu_joules_total{zone="package-0",path="a"} 10
kepler_node_cpu_joules_total{zone="package-1",path="b"} 20
kepler_node_cpu_joules_total{zone="core-0",path="c"} 9
kepler_node_cpu_joules_total{zone="dram",path="d"} 3
"""
SUITE = """
name: writes
description: Small tasks for tests.
tasks:
  - name: stories
    type: generate_until
    data: rows.jsonl
    prompt: "{text}"
    reference: gold
    metrics: [exact_match]
    max_tokens: 16
"""
ROWS = [f'{{"text": "Where does fox {n} jump?", "gold": "home"}}' for n in range(40)]
WATTS = 50.0


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.mark.parametrize(
    ("metrics", "joules"),
    [
        (DCGM, {"gpu": (4.0, "measured")}),
        (KEPLER, {"cpu": (30.0, "measured"), "ram": (3.0, "measured")}),
        (DCGM + KEPLER, {"gpu": (4.0, "measured"), "cpu": (30.0, "measured"), "ram": (3.0, "measured")}),
        ("scaph_host_energy_microjoules 2500000\n", {"machine": (2.5, "estimated")}),
        # The machine as a whole holds its parts, which are told apart where they can be.
        ("energy_joules_total 9\ngpu_energy_joules_total 4\n", {"gpu": (4.0, "estimated")}),
        ("vllm:prompt_tokens_total 11\nrequest_energy_joules_sum 3\n", {}),
        ("", {}),
    ],
)
def test_joules_are_summed_by_part_of_the_machine(metrics, joules):
    assert counted_joules(metrics) == joules


@pytest.mark.parametrize("metrics", ["<html>hello</html>", '{"energy": 3}', "energy_joules_total one\n"])
def test_what_is_no_metrics_is_no_energy(metrics):
    with serving(Served(metrics=lambda: metrics)) as served:
        assert find_energy(served.url, EndpointOptions()) is None


def test_an_address_for_the_energy_is_asked_without_the_key_and_must_count_some(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    with serving(Served(metrics=lambda: DCGM)) as other:
        root = other.url.removesuffix("/v1")
        options = EndpointOptions(energy_url=f"{root}/metrics")
        assert find_energy("http://127.0.0.1:1/v1", options).bases == {"gpu": "measured"}
        assert set(other.keys) == {None}
        with pytest.raises(InputError, match=r"--energy-url.*HTTP 404"):
            find_energy("http://127.0.0.1:1/v1", replace(options, energy_url=f"{root}/other"))
        other.metrics = lambda: "up 1\n"
        with pytest.raises(InputError, match="no energy under a name that is known"):
            find_energy("http://127.0.0.1:1/v1", options)
    for address in ("localhost/metrics", "http://me:hunter2@localhost/metrics", "file:///etc/passwd"):
        with pytest.raises(InputError, match="--energy-url") as raised:
            find_energy("http://127.0.0.1:1/v1", replace(options, energy_url=address))
        assert "hunter2" not in str(raised.value)


def test_a_server_that_stops_counting_leaves_no_energy_but_the_reason():
    with serving(Served(metrics=lambda: f"gpu_energy_joules_total {time.monotonic()}\n")) as served:
        route = find_energy(served.url, EndpointOptions())
        instrument = ServerInstrument(route, EndpointOptions())
        assert instrument.resolution_s < 5
        assert set(instrument.read().joules) == {"gpu"}
        served.metrics = None
        lost = instrument.read()
        assert lost.joules == {}
        assert "HTTP 404" in lost.failed["gpu"]


def test_a_run_is_measured_by_what_its_server_counts(tiny_llama, tmp_path, monkeypatch):
    monkeypatch.setattr(metering, "_IDLE_S", 0.5)
    (tmp_path / "rows.jsonl").write_text("".join(f"{row}\n" for row in ROWS))
    (tmp_path / "writes.yaml").write_text(SUITE)
    options = EvalOptions(output=tmp_path / "runs", store="none")
    metrics = lambda: f"cpu_energy_joules_total {WATTS * time.time()}\n"  # noqa: E731
    with serving(Served(folder=tiny_llama, metrics=metrics)) as served:
        ref = f"openai:{served.url}"
        assert any("as /metrics counts it" in note for note in resolve(ref).notes)
        record = evaluate(ref, suite=str(tmp_path / "writes.yaml"), task=(), options=options)
    results = Results(scores={}, estimates=(), windows=record.windows, signature="a test", request_counts={})
    known = {(one.task, one.metric): one for one in Energy().derive(results)}
    work = [one for one in record.windows if one.stage == SERVE]
    assert sum(one.request_count for one in work) == len(ROWS)
    assert known["run", "joules_per_token_serve"].value == pytest.approx(
        sum(one.energy_joules for one in work) / sum(one.token_count for one in work)
    )
    idle = known["idle", "idle_power_watts"]
    assert (idle.basis, idle.value) == ("estimated", pytest.approx(WATTS, rel=0.25))
    assert known["run", "joules_per_token_decode"].value is None
    assert known["run", "gpu_energy_joules"].reason == "the server doesn't count it"
    windows = [one for one in record.windows if one.energy_joules is not None]
    assert all("/metrics (cpu)" in one.source for one in windows)
    with serving(Served(folder=tiny_llama)) as served:
        checkpoint = resolve(f"openai:{served.url}")
    assert any("neither /energy_metrics nor /metrics" in note for note in checkpoint.notes)


VLLM = """\
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{engine="0",model_name="tiny"} 70
vllm:prompt_tokens_total{engine="1",model_name="tiny"} 30
vllm:prompt_tokens_total{engine="0",model_name="other"} 5000
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{engine="0",model_name="tiny"} 40
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="tiny"} 9
"""
LLAMA_CPP = """\
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 60
# TYPE llamacpp:prompt_tokens_cached_total counter
llamacpp:prompt_tokens_cached_total 40
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 9
"""


@pytest.mark.parametrize(
    ("metrics", "asked", "computed"),
    [
        (VLLM, 100, 60),
        # It tells what requests found in the cache and what the server did for all, copies of the cache included.
        (VLLM + 'vllm:prompt_tokens_cached_total{model_name="tiny"} 30\n', 100, 70),
        (VLLM.replace('"tiny"', '"a name of the server\'s own"').replace("5000", "0"), 100, 60),
        (LLAMA_CPP, 100, 60),
    ],
)
def test_tokens_are_those_asked_to_be_read_and_those_that_no_cache_had(metrics, asked, computed):
    assert counted_tokens(metrics, "tiny") == {
        "asked_token_count": asked,
        "computed_token_count": computed,
        "written_token_count": 9,
    }


def test_tokens_are_unknown_where_a_server_does_not_tell_what_its_cache_had():
    assert counted_tokens("vllm:prompt_tokens_total 11\nvllm:generation_tokens_total 3\n", "tiny") == {}
    assert counted_tokens("", "tiny") == {}


@dataclass
class Counting(Served):
    """Counts what it reads and writes, of which it had `CACHED` tokens of each prompt, and breaks off when told to."""

    read: int = 0
    reused: int = 0
    wrote: int = 0

    def complete(self, body):
        answer = super().complete(body)
        with self.lock:
            self.read += answer["usage"]["prompt_tokens"]
            self.wrote += answer["usage"]["completion_tokens"]
            self.reused += CACHED
        return answer

    def tell(self):
        values = {"prompt_tokens": self.read, "prompt_tokens_cached": self.reused, "generation_tokens": self.wrote}
        return "".join(f'vllm:{name}_total{{model_name="tiny"}} {value}\n' for name, value in values.items())


CACHED = 3


def test_a_run_records_what_its_server_counts_over_all_processes_that_asked(tiny_llama, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(f"{row}\n" for row in ROWS))
    (tmp_path / "writes.yaml").write_text(SUITE)
    options = EvalOptions(output=tmp_path / "runs", store="none")
    counting = Counting(folder=tiny_llama)
    counting.metrics = counting.tell
    asked = {"suite": str(tmp_path / "writes.yaml"), "task": (), "options": options}

    def refuses(path, _call):
        stories = [body for body in counting.bodies if "fox" in str(body.get("prompt"))]
        return (401, {}, {}) if len(stories) > len(ROWS) / 2 and path != "/metrics" else None

    with serving(counting):
        ref = f"openai:{counting.url}"
        assert any("tokens read and written" in note for note in resolve(ref).notes)
        counting.before = refuses
        with pytest.raises(InputError, match="401"):
            evaluate(ref, **asked)
        counting.before = lambda *_: None
        record = evaluate(ref, **asked)
        answers = record.samples
        (tokens,) = json.loads((record.folder / "engine.json").read_text()).values()
        assert tokens == {
            "asked_token_count": answers.context_token_count.sum(),
            "computed_token_count": answers.context_token_count.sum() - CACHED * len(ROWS),
            "written_token_count": answers.token_count.sum(),
            "counted_request_count": len(ROWS),
        }
        assert record.token_counts == (tokens["asked_token_count"], tokens["computed_token_count"])
        counting.metrics = None
        assert not any("tokens read and written" in note for note in resolve(ref).notes)


def test_a_server_that_begins_to_count_anew_leaves_no_tokens(tiny_llama, tmp_path):
    (tmp_path / "rows.jsonl").write_text("".join(f"{row}\n" for row in ROWS[:4]))
    (tmp_path / "writes.yaml").write_text(SUITE)
    options = EvalOptions(output=tmp_path / "runs", store="none")
    left = iter(range(10**6, 0, -1))
    metrics = lambda: LLAMA_CPP.replace(" 60", f" {next(left)}")  # noqa: E731
    with serving(Served(folder=tiny_llama, metrics=metrics)) as served:
        record = evaluate(f"openai:{served.url}", suite=str(tmp_path / "writes.yaml"), task=(), options=options)
    assert record.token_counts == (0, 0)
