"""codecarbon's real path through NVML, on a library in C that tells what a file says, in a process of its own."""

import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.meters import Window
from probes.energy.codecarbon import CodecarbonInstrument
from probes.energy.grid import find_grid
from probes.energy.readings import energy_between
from probes.energy.windows import WindowedMeter
from tests.suites.test_energy import derive

SOURCE = Path(__file__).with_name("stub.c")
NOT_SUPPORTED, NO_PERMISSION, LOST = 3, 4, 15


@dataclass(frozen=True)
class Device:
    """A GPU as the stub tells it; negative joules or watts are NVML's error."""

    uuid: str
    joules: float = 5000.0
    watts: float = 100.0
    model: str = "H100"
    mig: str = "-"
    error: int = 0


def tell(*devices: Device) -> None:
    """What NVML says from now on; written beside and moved, as the meter's threads read it meanwhile."""
    place = Path(os.environ["NVML_STUB"])
    lines = [f"{d.uuid} {d.model} {_milli(d.joules)} {_milli(d.watts)} {d.mig} {d.error}\n" for d in devices]
    place.with_suffix(".new").write_text("".join(lines))
    place.with_suffix(".new").replace(place)


def _milli(value: float) -> int:
    return round(value * 1000) if value >= 0 else round(value)


def cards(count: int) -> list[Device]:
    return [Device(uuid=f"GPU-{index}e81-7856-1fb8") for index in range(count)]


@contextmanager
def opened(devices: list[Device], environment: Mapping[str, str]) -> Iterator[CodecarbonInstrument]:
    tell(*devices)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CODECARBON_GPU_IDS"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        instrument = CodecarbonInstrument()
    try:
        yield instrument
    finally:
        instrument.close()


@dataclass(frozen=True)
class Seen:
    """A window, and the joules of GPUs from before it to after it: it shares them with its surroundings."""

    window: Window
    joules: float | None
    source: str


def seen(devices: list[Device], environment: Mapping[str, str], after: list[Device] | None = None) -> Seen:
    """What a meter sees while `devices` become those `after`, or the first has spent 10 J, the second 20 J, ..."""
    windows: list[Window] = []
    with opened(devices, environment) as instrument:
        before = instrument.read()
        meter = WindowedMeter(windows.append, instrument, find_grid(None))
        with meter.phase("load"):
            time.sleep(0.15)
            going = [replace(d, joules=d.joules + 10 * n) if d.joules > 0 else d for n, d in enumerate(devices, 1)]
            tell(*(after or going))
        joules = energy_between(before, instrument.read()).joules.get("gpu")
        source = instrument.source
    (window,) = windows
    return Seen(window, joules, source)


@pytest.fixture(scope="module")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Calls a function where NVML is the stub and there is no `nvidia-smi`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("nvml")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", "-o", library, SOURCE], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_LIBRARY_PATH", str(folder))
        patch.setenv("NVML_STUB", str(folder / "devices"))
        pool = ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn"))
        with pool:
            yield lambda function, *arguments: pool.submit(function, *arguments).result(timeout=60)


def test_a_counter_is_measured_although_the_sum_is_not(nvml: Callable[..., Any]) -> None:
    found = nvml(seen, cards(1), {})
    assert found.joules == pytest.approx(10.0)
    assert found.window.components_basis["gpu"] == "measured"
    assert found.window.basis == "estimated"
    assert "GPU by its energy counter" in found.source
    figures = derive(found.window)
    assert figures["run", "gpu_energy_joules"].value == pytest.approx(found.window.components_joules["gpu"])
    assert figures["run", "gpu_energy_joules"].basis == "measured"
    assert figures["run", "energy_joules"].basis == "estimated"


@pytest.mark.parametrize(
    ("visible", "joules", "words"),
    [
        ({"CUDA_VISIBLE_DEVICES": "0,3"}, 10 + 40, "GPUs 0 and 3 of 8 by their energy counters"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1e81,GPU-7e81"}, 20 + 80, "GPUs 1 and 7 of 8 by their"),
        ({"CUDA_VISIBLE_DEVICES": "2,9,3"}, 30, "GPU 2 of 8 by its"),  # CUDA ends a list at what it doesn't know
        ({"CODECARBON_GPU_IDS": "4,5"}, 50 + 60, "GPUs 4 and 5 of 8"),
        ({}, 10 * 36, "all 8 GPUs"),
    ],
)
def test_only_gpus_that_are_ours_count(
    nvml: Callable[..., Any], visible: dict[str, str], joules: float, words: str
) -> None:
    found = nvml(seen, cards(8), visible)
    assert found.joules == pytest.approx(joules)
    assert found.window.components_basis["gpu"] == "measured"
    assert words in found.source


@pytest.mark.parametrize("visible", ["", "-1"])
def test_without_a_gpu_of_ours_the_sum_is_that_of_the_rest(nvml: Callable[..., Any], visible: str) -> None:
    found = nvml(seen, cards(2), {"CUDA_VISIBLE_DEVICES": visible})
    assert "gpu" not in found.window.components_joules
    assert "visible" in found.window.absent["gpu"]
    assert found.window.energy_joules > 0


def test_numbers_that_cuda_gives_by_speed_name_no_gpu_of_unlike_ones(nvml: Callable[..., Any]) -> None:
    unlike = [*cards(1), Device(uuid="GPU-b", model="T4")]
    found = nvml(seen, unlike, {"CUDA_VISIBLE_DEVICES": "0"})
    assert found.window.energy_joules is None
    assert "PCI_BUS_ID" in found.window.reason
    ordered = nvml(seen, unlike, {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert ordered.joules == pytest.approx(20.0)


@pytest.mark.parametrize("visible", ["MIG-5c1ce", "MIG-GPU-1e81-7856-1fb8/1/0"])
def test_a_slice_has_the_energy_of_its_card_and_is_no_measurement(nvml: Callable[..., Any], visible: str) -> None:
    first, second = cards(2)
    found = nvml(seen, [first, replace(second, mig="MIG-5c1ce-0e3f")], {"CUDA_VISIBLE_DEVICES": visible})
    assert found.joules == pytest.approx(20.0)
    assert found.window.components_basis["gpu"] == "estimated"
    assert "other slices" in found.source


def test_a_container_without_permission_has_no_sum_but_its_parts(nvml: Callable[..., Any]) -> None:
    found = nvml(seen, [replace(*cards(1), joules=-NO_PERMISSION, watts=-NO_PERMISSION)], {})
    assert found.window.energy_joules is None
    assert "NoPermission" in found.window.absent["gpu"]
    assert found.window.components_joules["ram"] > 0
    figures = derive(found.window)
    assert figures["run", "energy_joules"].value is None
    assert figures["run", "gpu_energy_joules"].value is None
    assert "NoPermission" in figures["run", "gpu_energy_joules"].reason
    assert figures["run", "ram_energy_joules"].value == pytest.approx(found.window.components_joules["ram"])


def test_a_card_that_is_lost_when_the_meter_starts_costs_its_own_energy_alone(nvml: Callable[..., Any]) -> None:
    found = nvml(seen, [replace(*cards(1), error=LOST)], {})
    assert found.window.energy_joules is None
    assert "GPU is lost" in found.window.absent["gpu"]
    assert found.window.components_joules["ram"] > 0


def test_a_card_that_is_lost_meanwhile_has_the_reason(nvml: Callable[..., Any]) -> None:
    before = cards(1)
    found = nvml(seen, before, {}, [replace(before[0], error=LOST)])
    assert found.window.energy_joules is None
    assert "GPU 0 gives neither" in found.window.absent["gpu"]


def test_a_counter_that_is_reset_leaves_an_estimate_from_power(nvml: Callable[..., Any]) -> None:
    before = cards(1)
    found = nvml(seen, before, {}, [replace(before[0], joules=1.0)])
    assert found.window.components_basis["gpu"] == "estimated"
    assert found.window.components_joules["gpu"] > 0


def sampled() -> tuple[str, float, float, float]:
    """The joules of a card without a counter, with the least and the most time that its reading may have spanned."""
    with opened([replace(*cards(1), joules=-NOT_SUPPORTED)], {}) as instrument:
        begun = time.perf_counter()
        before = instrument.read()
        between = time.perf_counter()
        time.sleep(0.2)
        until = time.perf_counter()
        after = instrument.read()
        return (
            instrument.source,
            energy_between(before, after).joules["gpu"],
            until - between,
            time.perf_counter() - begun,
        )


def test_without_a_counter_power_is_sampled(nvml: Callable[..., Any]) -> None:
    source, joules, least, most = nvml(sampled)
    assert "GPU by samples of its power" in source
    assert 100 * least <= joules <= 100 * most
