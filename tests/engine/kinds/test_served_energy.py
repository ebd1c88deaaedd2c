"""What a server says of its energy, and a run that is measured by it."""

import time
from dataclasses import replace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.served.energy import ServerInstrument, counted_joules, find_energy
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
