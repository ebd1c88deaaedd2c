"""Energy as codecarbon sees it: hardware counters where they can be read, a model of the hardware elsewhere."""

import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml
from codecarbon import OfflineEmissionsTracker, __version__
from codecarbon.core import gpu_nvidia
from codecarbon.external.hardware import GPU
from typing_extensions import override

from harness.core.errors import PluginError
from harness.core.meters import CounterReading, Instrument, Publish
from harness.core.scores import Basis
from harness.core.text.reasons import Reason
from probes.energy.cards import NONE_VISIBLE, Card, Cards, cards_of
from probes.energy.grid import find_grid
from probes.energy.windows import WindowedMeter

__all__ = ["CodecarbonInstrument", "CodecarbonMeter"]

JOULES_PER_KWH = 3.6e6
NEVER_S = 1e8
"""Three years. codecarbon's own periodic reading would race with ours, and the same joules be counted twice."""


_RAPL_ERROR = "close under load, off by tens of % in small differences"
_NVML_ERROR = "error of 5 %, more for bursts"
_MODEL_ERROR = "error of up to 40 %"
_NO_STUDY = "error unknown"
"""What is to be expected of each instrument, against a power meter.

RAPL: Khan et al., "RAPL in Action" (2018); for memory and for machines at rest Desrochers et al., "A Validation of DRAM
RAPL Power Measurements" (2016); for what a program adds to a machine at rest Fahad et al., "A Comparative Study of
Methods for Measurement of Energy of Computing" (2019). NVML: its documentation of `nvmlDeviceGetPowerUsage`; for bursts
Yang et al., "Part-time Power Measurements: nvidia-smi's Lack of Attention" (2024). codecarbon's models: Fischer,
"Ground-Truthing AI Energy Consumption" (2025).
"""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    basis: Basis
    words: str
    error: str


class CodecarbonInstrument(Instrument):
    """The energy counters of codecarbon's offline tracker, for the whole machine, other processes included.

    CPU: RAPL on Linux (x86, where /sys/class/powercap is readable) or the Energy Meter Interface of Windows are
    counters, hence `measured`. Elsewhere codecarbon models the power from the load of all cores and the processor's
    nominal power; load is sampled each second from counters of 10 ms ticks, so `resolution_s` is 0.1 s. RAM is always
    modelled, from the number of memory modules that a machine of this size usually has: a constant. GPU: those that
    are this process's own (`probes.energy.cards`), by NVML's energy counter, else by samples of their power, or by AMD
    SMI. A slice of a card has no counter, so it is the whole card's, `estimated`. A GPU that isn't there is absent; one
    that is there and can't be read leaves the sum absent too. Mains losses, fans, disks and displays are not seen.
    `bases` says of each part whether it is `measured`; `source` names its instrument and the error that studies found
    in it.

    No network, no file: every setting of codecarbon that could send or write is overridden, the user's codecarbon
    configuration included. What that configuration says of the hardware (`force_cpu_power`, `force_ram_power`,
    `gpu_ids`) is honoured. Takes about 2 s to start.

    Raises `PluginError` if the installed codecarbon does not work as this probe expects.
    """

    resolution_s = 0.1

    def __init__(self, country_code: str | None = None) -> None:
        # codecarbon logs to the terminal before its own log_level counts, and is loud about what `source` says better.
        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        self._scratch = tempfile.TemporaryDirectory()
        self._tracker = OfflineEmissionsTracker(
            **_quiet(self._scratch.name), country_iso_code=country_code, log_level="critical", tracking_mode="machine"
        )
        try:
            self._cards, self._blind = self._set_up_gpus()
            self._tracker.start()
            parts = sorted((_part(one, self._cards) for one in self._tracker._hardware), key=lambda part: part.name)
            first = self.read()
        except (AttributeError, TypeError) as error:
            raise self._unusable(str(error)) from error
        if not first.joules or not parts:
            raise self._unusable("; ".join(first.failed.values()) or "it sees no hardware")
        self.bases: Mapping[str, Basis] = {part.name: part.basis for part in parts}
        if self._blind is not None:
            self.bases = {**self.bases, "gpu": "estimated"}
        self.source = f"codecarbon {__version__}: {', '.join(f'{part.words} ({part.error})' for part in parts)}"
        absent = _WHY_ABSENT | ({"gpu": NONE_VISIBLE} if self._cards and self._cards.count else {})
        self.absent: Mapping[str, str] = {name: why for name, why in absent.items() if name not in self.bases}

    @override
    def read(self) -> CounterReading:
        tracker = self._tracker
        try:
            # The public flush() skips readings that follow each other closely, and hides errors.
            tracker._measure_power_and_energy()
        except Exception as error:  # drivers raise anything; the window will say why it has no energy
            why = f"{type(error).__name__}: {error}"
            return CounterReading(joules={}, failed=dict.fromkeys(_part_names(tracker._hardware), why))
        totals = {
            "cpu": tracker._total_cpu_energy,
            "ram": tracker._total_ram_energy,
            "gpu": tracker._total_gpu_energy,
        }
        failed = {} if self._blind is None else {"gpu": self._blind}
        if any(_skipped(hardware) for hardware in tracker._hardware):
            failed["cpu"] = "RAPL gave no value"
        devices = [device for hardware in tracker._hardware for device in _devices(hardware)]
        if lost := [device for device in devices if device._use_power_fallback and device._warned_power_failure]:
            failed["gpu"] = Reason(
                "GPU {index} gives neither its energy nor its power: {why}",
                index=lost[0].gpu_index,
                why=lost[0]._counter_error or "the driver gives no reason",
            )
        guessed = any(device._use_power_fallback for device in devices)
        return CounterReading(
            joules={name: totals[name].kWh * JOULES_PER_KWH for name in _part_names(tracker._hardware) - failed.keys()},
            failed=failed,
            guessed=frozenset({"gpu"} if guessed else ()),
        )

    def _set_up_gpus(self) -> tuple[Cards | None, str | None]:
        """Have codecarbon read the NVIDIA GPUs that are ours: these, and why some that are there can't be read.

        Left alone, it looks for `nvidia-smi` first, which containers may lack; matches no id of a GPU that
        CUDA_VISIBLE_DEVICES may hold; takes an empty list of GPUs for all; and counts 0 J for those that it can't read.
        """
        tracker = self._tracker
        try:
            tracker._ensure_hardware_ready()
        except Exception as error:
            if not tracker._hardware:
                raise TypeError(f"{type(error).__name__}: {error}") from error
            tracker._hardware_initialized = True  # a card that is lost stopped it when all else was found
        if not gpu_nvidia.PYNVML_AVAILABLE:
            tracker._hardware = [one for one in tracker._hardware if not _is_gpu(one) or one.devices.devices]
            return None, None
        try:
            cards = cards_of(os.environ, tracker._external_conf.get("gpu_ids"))
            if cards.count:
                tracker._hardware = [one for one in tracker._hardware if not _is_gpu(one)]
            if cards.ours:
                tracker._hardware.append(GPU.from_utils(cards.indices))
        except pynvml.NVMLError as error:
            return None, Reason("the GPUs can't be read: {why}", why=str(error))
        return cards, cards.failure

    @override
    def close(self) -> None:
        """Stop codecarbon's sampling thread."""
        self._tracker.stop()
        self._scratch.cleanup()

    def _unusable(self, problem: str) -> PluginError:
        self.close()
        return PluginError(
            f"codecarbon {__version__} does not work as expected: {problem}",
            place="codecarbon",
            fix="Install codecarbon 3.3, or run without energy",
        )


class CodecarbonMeter(WindowedMeter):
    """Energy by codecarbon, in windows; see `CodecarbonInstrument` for what is seen and how.

    `region` is the ISO 3166 alpha-3 code of the country whose electricity is used, for the carbon figure alone; None
    is the world average. Raises `InputError` for a region without data.

    Source: Courty et al., "CodeCarbon: estimate and track carbon emissions from machine learning computing" (2024).
    """

    def __init__(self, publish: Publish, region: str | None) -> None:
        grid = find_grid(region)
        super().__init__(publish, CodecarbonInstrument(grid.country_code), grid)


_WHY_ABSENT = {
    "cpu": "codecarbon has no way to see this processor",
    "ram": "codecarbon has no way to see this memory",
    "gpu": "codecarbon sees no GPU (neither NVML nor AMD SMI answers)",
}


def _quiet(folder: str) -> dict[str, Any]:
    """Settings without network or files; given explicitly, so that no user configuration can turn them on."""
    return {
        "project_name": "harness",
        "measure_power_secs": NEVER_S,
        "api_call_interval": -1,
        "output_dir": folder,  # only a tool of codecarbon's on macOS or Windows would write there
        "output_methods": [],
        "output_handlers": [],
        "emissions_endpoint": None,
        "electricitymaps_api_token": "",  # None would fall back to the token of an older setting
        "region": None,
        "cloud_provider": None,
        "cloud_region": None,
        "country_2letter_iso_code": None,
        "allow_multiple_runs": True,
        "pue": 1.0,
        "wue": 0.0,
        "rapl_include_dram": False,  # with either of these, RAM would be counted twice
        "rapl_prefer_psys": False,
    }


def _part(hardware: Any, cards: Cards | None) -> _Part:
    """What one of codecarbon's hardware objects counts, and how."""
    kind = type(hardware).__name__
    if kind == "RAM":
        how = "constant from its size" if hardware._force_ram_power is None else "as configured"
        return _Part("ram", "estimated", f"RAM {hardware.total_power().W:g} W, {how}", _MODEL_ERROR)
    if kind == "CPU":
        return _cpu(hardware._mode, hardware._tdp)
    if kind == "GPU":
        return _gpu(_devices(hardware), cards)
    if kind == "AppleSiliconChip":
        return _Part(hardware.chip_part.lower(), "estimated", f"{hardware.chip_part} by powermetrics", _NO_STUDY)
    if kind == "Raspberry":
        return _Part(
            hardware.chip_part.lower(), "estimated", f"{hardware.chip_part} by samples of its power", _NO_STUDY
        )
    raise TypeError(f"unknown hardware {kind}")


def _gpu(devices: Sequence[Any], cards: Cards | None) -> _Part:
    counted = [device._has_counter for device in devices]
    cards = cards or Cards(ours=[Card(index=device.gpu_index) for device in devices], count=len(devices))
    if any(card.is_sliced for card in cards.ours):
        words = cards.named("by all that the card draws", "by all that the cards draw")
        return _Part("gpu", "estimated", f"{words}, other slices of it included", _NVML_ERROR)
    if all(counted):
        return _Part("gpu", "measured", cards.named("by its energy counter", "by their energy counters"), _NVML_ERROR)
    if not any(counted):
        words = cards.named("by samples of its power", "by samples of their power")
        return _Part("gpu", "estimated", words, _NVML_ERROR)
    words = cards.named("", f"by energy counters ({sum(counted)}) and by samples of their power")
    return _Part("gpu", "estimated", words, _NVML_ERROR)


def _is_gpu(hardware: Any) -> bool:
    return type(hardware).__name__ == "GPU"


def _devices(hardware: Any) -> list[Any]:
    """The GPUs that codecarbon counts, of all that it sees."""
    if not _is_gpu(hardware):
        return []
    chosen = hardware._get_gpu_ids()
    return [device for device in hardware.devices.devices if device.gpu_index in chosen]


def _part_names(hardware: Sequence[Any]) -> set[str]:
    """The parts that totals are kept of; chips name theirs."""
    return {
        name.lower() if (name := getattr(one, "chip_part", None)) else type(one).__name__.lower() for one in hardware
    }


def _skipped(hardware: Any) -> bool:
    """Whether codecarbon put 0 where a RAPL file could not be read or ran backwards."""
    files = getattr(getattr(hardware, "_intel_interface", None), "_rapl_files", ())
    return any(file.sample_skipped for file in files)


def _cpu(mode: str, nominal_watts: float) -> _Part:
    if mode == "intel_rapl":
        return _Part("cpu", "measured", "CPU by RAPL", _RAPL_ERROR)
    if mode == "windows_emi":
        return _Part("cpu", "measured", "CPU by the Energy Meter Interface", _NO_STUDY)
    if mode == "intel_power_gadget":
        return _Part("cpu", "estimated", "CPU by samples of Intel Power Gadget", _NO_STUDY)
    if mode == "cpu_load":
        return _Part("cpu", "estimated", f"CPU modelled from its load, at most {nominal_watts:g} W", _MODEL_ERROR)
    return _Part("cpu", "estimated", f"CPU at half its nominal {nominal_watts:g} W whatever its load", _MODEL_ERROR)
