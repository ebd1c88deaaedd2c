import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from codecarbon.core import gpu_nvidia, hardware_cache
from codecarbon.core.resource_tracker import ResourceTracker
from codecarbon.external.hardware import CPU

from harness.core.errors import InputError, PluginError
from harness.core.meters import Window
from probes.energy.codecarbon import CodecarbonInstrument, CodecarbonMeter
from probes.energy.readings import energy_between


@pytest.fixture
def instrument() -> Iterator[CodecarbonInstrument]:
    instrument = CodecarbonInstrument("FRA")
    yield instrument
    instrument.close()


def test_a_window_of_real_work_has_energy_from_every_part_it_names() -> None:
    windows: list[Window] = []
    meter = CodecarbonMeter(windows.append, "fra")
    with meter.phase("idle"):
        time.sleep(0.3)
    meter.close()
    (window,) = windows
    assert window.energy_joules is not None
    assert window.energy_joules == pytest.approx(sum(window.components_joules.values()))
    assert all(joules > 0 for joules in window.components_joules.values())
    assert set(window.components_joules) | set(window.absent) >= {"cpu", "ram", "gpu"}
    assert not set(window.components_joules) & set(window.absent)
    assert window.region == "FRA"
    assert "codecarbon 3" in window.source
    assert window.basis == "estimated"  # RAM is always modelled


def test_an_unknown_region_is_refused_before_anything_starts() -> None:
    before = threading.active_count()
    with pytest.raises(InputError, match="no carbon intensity"):
        CodecarbonMeter([].append, "atlantis")
    assert threading.active_count() == before


def test_no_thread_is_left_after_closing() -> None:
    before = set(threading.enumerate())
    meter = CodecarbonMeter([].append, None)
    with meter.phase("idle"):
        time.sleep(0.2)
    meter.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive()


def test_nothing_is_sent_or_written_whatever_the_users_codecarbon_settings_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = {
        "SAVE_TO_API": "true",
        "SAVE_TO_FILE": "true",
        "OUTPUT_METHODS": "csv,api",
        "EMISSIONS_ENDPOINT": "http://127.0.0.1:9/emissions",
        "CO2_SIGNAL_API_TOKEN": "token",
        "ELECTRICITYMAPS_API_TOKEN": "token",
        "CLOUD_PROVIDER": "gcp",
        "CLOUD_REGION": "europe-west1",
        "API_CALL_INTERVAL": "1",
        "MEASURE_POWER_SECS": "0.05",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CODECARBON_{name}", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    attempts: list[str] = []

    def refuse(*arguments: Any, **options: Any) -> Any:
        attempts.append(str(arguments))
        raise OSError("the network is blocked")

    # codecarbon swallows network errors, so what counts is whether it tried.
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    windows: list[Window] = []
    meter = CodecarbonMeter(windows.append, "FRA")
    with meter.phase("load"):
        time.sleep(0.3)
    meter.close()
    assert attempts == []
    assert list(tmp_path.iterdir()) == []
    assert windows[0].energy_joules is not None


def test_rapl_counters_are_read_in_joules_and_their_loss_is_no_zero(
    instrument: CodecarbonInstrument, tmp_path: Path
) -> None:
    package = tmp_path / "intel-rapl:0"
    package.mkdir()
    (package / "name").write_text("package-0")
    (package / "max_energy_range_uj").write_text("262143328850")
    counter = package / "energy_uj"
    counter.write_text("1000000")
    processor = CPU(output_dir=str(tmp_path), mode="intel_rapl", model="a test", tdp=10, rapl_dir=str(tmp_path))
    processor.start()
    instrument._tracker._hardware = [processor]
    before = instrument.read()
    counter.write_text("43000000")
    after = instrument.read()
    assert energy_between(before, after).joules["cpu"] == pytest.approx(42.0)
    counter.unlink()
    lost = energy_between(after, instrument.read())
    assert "cpu" not in lost.joules
    assert "RAPL" in lost.failed["cpu"]


def test_a_driver_that_fails_gives_a_reason_and_no_exception(
    instrument: CodecarbonInstrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("GPU is lost")

    before = instrument.read()
    monkeypatch.setattr(instrument._tracker, "_do_measurements", fail)
    spent = energy_between(before, instrument.read())
    assert spent.joules == {}
    assert "GPU is lost" in spent.failed["cpu"]


def test_a_codecarbon_that_fails_to_start_stops_the_command_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tracker: ResourceTracker) -> None:
        raise OSError("no hardware can be read")

    # codecarbon logs this error and goes on without any hardware, so every energy would be 0.
    monkeypatch.setattr(ResourceTracker, "set_CPU_GPU_ram_tracking", fail)
    with pytest.raises(PluginError, match="codecarbon") as caught:
        CodecarbonMeter([].append, None)
    assert caught.value.fix is not None


def test_a_tool_without_its_library_is_no_gpu_of_0_joules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nexit 0\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    hardware_cache.clear_cache()
    assert gpu_nvidia.is_nvidia_system()
    try:
        instrument = CodecarbonInstrument()
        instrument.close()
    finally:
        hardware_cache.clear_cache()
    assert "gpu" not in instrument.bases
    assert "NVML" in instrument.absent["gpu"]
