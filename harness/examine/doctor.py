"""What this machine can do for the harness, what it can't, and what to do about it."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import pynvml

from harness.core import registry
from harness.core.errors import HarnessError, UnavailableError
from harness.core.groups import GROUPS
from harness.core.process.paths import cache_folder
from harness.data import all_datasets
from harness.sandbox import SANDBOX_FIX, find_sandbox

__all__ = ["Diagnosis", "Status", "examine"]

Status = Literal["ok", "limited", "missing"]
"""Works, works in part (`detail` says what doesn't), or is not there."""

GIB = 1 << 30
LITTLE_MEMORY_GIB = 3
LITTLE_DISK_GIB = 3
POWERCAP = Path("/sys/class/powercap")
OFFLINE_FLAGS = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at. `fix` is the next step, None where none is needed or possible."""

    name: str
    status: Status
    detail: str
    fix: str | None = None


def examine(offline: bool) -> list[Diagnosis]:
    """Look at everything that a run depends on, in the order in which people ask. Takes a few seconds, mostly torch.

    Nothing is fetched and the network is not touched, nor is its reach probed. `offline` says that nothing will be
    fetched later either, so what is not in the cache is missing, not merely limited.
    """
    return [
        _python(),
        _processor(),
        _memory(),
        *_torch(),
        _processor_energy(),
        _gpu_energy(),
        _unmeasured(),
        _cache(),
        _disk(),
        _checkpoints(),
        _data_sets(offline=offline),
        _hub(offline=offline),
        _sandbox(),
        *_plugins(),
    ]


def _python() -> Diagnosis:
    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return Diagnosis(name="python", status="ok", detail=detail)


def _processor() -> Diagnosis:
    physical, logical = psutil.cpu_count(logical=False), psutil.cpu_count()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    detail = f"{_processor_name()}, {physical or 'unknown'} cores, {logical} threads"
    if allowed != logical:
        return Diagnosis(
            name="processor", status="limited", detail=f"{detail}, of which this process may use {allowed}"
        )
    return Diagnosis(name="processor", status="ok", detail=detail)


def _processor_name() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> Diagnosis:
    memory = psutil.virtual_memory()
    detail = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB available"
    if memory.available < LITTLE_MEMORY_GIB * GIB:
        fix = f"Close other programs: the default model and its data take about {LITTLE_MEMORY_GIB} GiB"
        return Diagnosis(name="memory", status="limited", detail=detail, fix=fix)
    return Diagnosis(name="memory", status="ok", detail=detail)


def _torch() -> list[Diagnosis]:
    try:
        import torch
    except Exception as error:
        detail = f"can't be imported: {type(error).__name__}: {error}"
        return [Diagnosis(name="torch", status="missing", detail=detail, fix="Run `pip install torch`")]
    capability = torch.backends.cpu.get_cpu_capability()
    detail = f"{torch.__version__}, {torch.get_num_threads()} threads, {capability}"
    return [Diagnosis(name="torch", status="ok", detail=detail), _devices(torch), _bfloat16(torch)]


def _devices(torch: Any) -> Diagnosis:
    found = []
    if torch.cuda.is_available():
        found += [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    if torch.xpu.is_available():
        found += [f"xpu:{index} {torch.xpu.get_device_name(index)}" for index in range(torch.xpu.device_count())]
    if found:
        return Diagnosis(name="devices", status="ok", detail=", ".join(["cpu", *found]))
    detail = "cpu alone: neither this build of torch nor this machine offers cuda, mps or xpu, so large models are slow"
    return Diagnosis(name="devices", status="limited", detail=detail)


def _bfloat16(torch: Any) -> Diagnosis:
    if torch.cuda.is_available():
        fast = bool(torch.cuda.is_bf16_supported(including_emulation=False))
        where = "the GPU"
    else:
        fast = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
        where = "the processor"
    if fast:
        return Diagnosis(name="bfloat16", status="ok", detail=f"{where} has instructions for it")
    detail = f"{where} has no instructions for it: it works, slowly, and saves memory only"
    return Diagnosis(name="bfloat16", status="limited", detail=detail, fix="Use --dtype float32")


def _processor_energy() -> Diagnosis:
    """RAPL is looked for as codecarbon does; the probe itself says in every window what it used."""
    name = "energy: processor"
    counters = sorted(POWERCAP.glob("*/energy_uj"))
    if any(os.access(counter, os.R_OK) for counter in counters):
        return Diagnosis(name=name, status="ok", detail=f"measured by RAPL, {len(counters)} counters; RAM is estimated")
    if counters:
        return Diagnosis(
            name=name,
            status="limited",
            detail="estimated from load: the RAPL counters are there but may be read by root alone",
            fix=f"Let your user read {POWERCAP}/*/energy_uj",
        )
    detail = f"estimated from load and nominal power: no RAPL counters under {POWERCAP} (usual in virtual machines)"
    if sys.platform != "linux":
        detail = "measured only where codecarbon finds a counter (Energy Meter Interface), else estimated from load"
    return Diagnosis(name=name, status="limited", detail=f"{detail}; RAM is estimated")


def _gpu_energy() -> Diagnosis:
    name = "energy: GPU"
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Diagnosis(name=name, status="missing", detail=f"absent from all figures, not 0: no NVML ({error})")
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        counted = [handle for handle in handles if _answers(pynvml.nvmlDeviceGetTotalEnergyConsumption, handle)]
        read = [one for one in handles if one in counted or _answers(pynvml.nvmlDeviceGetPowerUsage, one)]
    except pynvml.NVMLError as error:
        detail = f"a GPU is there and can't be read ({error}): no run has a sum of energy"
        return Diagnosis(name=name, status="missing", detail=detail, fix="Have the GPU, or its driver, mended")
    finally:
        pynvml.nvmlShutdown()
    if not handles:
        return Diagnosis(name=name, status="missing", detail="absent from all figures, not 0: NVML lists no GPU")
    if len(read) < len(handles):
        detail = (
            f"{len(handles) - len(read)} of {len(handles)} GPUs can't be read: runs that use them have no sum of energy"
        )
        return Diagnosis(name=name, status="missing", detail=detail, fix="Let this process, or its container, use NVML")
    if len(counted) < len(handles):
        detail = f"estimated from samples of power: {len(handles) - len(counted)} GPUs have no energy counter"
        return Diagnosis(name=name, status="limited", detail=detail)
    return Diagnosis(
        name=name, status="ok", detail=f"measured by NVML, {len(handles)} GPUs; a slice (MIG) is estimated"
    )


def _answers(ask: Callable[[Any], Any], handle: Any) -> bool:
    try:
        ask(handle)
    except pynvml.NVMLError:
        return False
    return True


def _unmeasured() -> Diagnosis:
    detail = (
        "never measured: losses in the power supply, fans, disks, network, and the share of other programs "
        "(the whole machine is seen, so keep it quiet)"
    )
    return Diagnosis(name="energy: limits", status="limited", detail=detail)


def _cache() -> Diagnosis:
    folder = cache_folder()
    where = f"{folder}{' (set by HARNESS_CACHE)' if os.environ.get('HARNESS_CACHE') else ''}"
    parent = _existing(folder)
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        detail = f"{where} can't be written"
        return Diagnosis(name="cache", status="missing", detail=detail, fix="Set HARNESS_CACHE to a folder of yours")
    if not folder.exists():
        return Diagnosis(name="cache", status="ok", detail=f"{where} is still empty")
    sizes = [f"{child.name} {_size(child) / GIB:.2f} GiB" for child in sorted(folder.iterdir())]
    return Diagnosis(name="cache", status="ok", detail=f"{where}: {', '.join(sizes) or 'empty'}")


def _existing(path: Path) -> Path:
    """The nearest ancestor that exists, or the path itself."""
    return path if path.exists() else _existing(path.parent)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder. A file that another run removes meanwhile has none."""
    size = 0
    for file in [path, *path.rglob("*")]:
        with suppress(FileNotFoundError):
            size += file.stat().st_size if file.is_file() else 0
    return size


def _disk() -> Diagnosis:
    free = shutil.disk_usage(_existing(cache_folder())).free
    detail = f"{free / GIB:.1f} GiB free for the cache"
    if free < LITTLE_DISK_GIB * GIB:
        fix = f"Free {LITTLE_DISK_GIB} GiB, or set HARNESS_CACHE to a folder on a larger disk"
        return Diagnosis(name="disk", status="limited", detail=detail, fix=fix)
    return Diagnosis(name="disk", status="ok", detail=detail)


def _checkpoints() -> Diagnosis:
    folder = cache_folder()
    found = sorted({path.parent for path in folder.rglob("config.json")}) if folder.exists() else []
    names = ", ".join(str(path.relative_to(folder)) for path in found)
    if names:
        return Diagnosis(name="checkpoints", status="ok", detail=f"converted and cached: {names}")
    return Diagnosis(name="checkpoints", status="limited", detail="none cached: the first run fetches what it needs")


def _data_sets(*, offline: bool) -> Diagnosis:
    name = "data sets"
    try:
        catalogue = all_datasets()
    except HarnessError as error:
        return Diagnosis(name=name, status="missing", detail=str(error), fix=error.fix)
    absent, broken = [], []
    for dataset in catalogue:
        try:
            dataset.source.fetch(offline=True)
        except UnavailableError:
            absent.append(dataset.name)
        except HarnessError as error:
            broken.append(f"{dataset.name}: {error}")
    cached = f"{len(catalogue) - len(absent) - len(broken)} of {len(catalogue)} cached"
    if broken:
        return Diagnosis(name=name, status="missing", detail=f"{cached}; {'; '.join(broken)}")
    if not absent:
        return Diagnosis(name=name, status="ok", detail=cached)
    return Diagnosis(
        name=name,
        status="missing" if offline else "limited",
        detail=f"{cached}; not cached: {', '.join(absent)}",
        fix="Run `harness data fetch` with the network",
    )


def _hub(*, offline: bool) -> Diagnosis:
    flags = [f"{flag}={os.environ[flag]}" for flag in OFFLINE_FLAGS if os.environ.get(flag)]
    if offline:
        flags.insert(0, "--offline")
    if flags:
        detail = f"not asked ({', '.join(flags)}): only what is cached can be used"
        return Diagnosis(name="hub", status="limited", detail=detail)
    return Diagnosis(name="hub", status="ok", detail="asked for models and data sets where named; not tried now")


def _sandbox() -> Diagnosis:
    name, reasons = find_sandbox()
    if name is not None:
        return Diagnosis(name="sandbox", status="ok", detail=f"{name}: programs that a model writes can be run in it")
    detail = f"none for programs that a model writes, so tasks that run them are refused: {'; '.join(reasons)}"
    return Diagnosis(name="sandbox", status="missing", detail=detail, fix=SANDBOX_FIX)


def _plugins() -> Iterator[Diagnosis]:
    """A line for each group of entry points with the packages that bring something, and one for each that is broken."""
    for group in GROUPS.values():
        try:
            brought = registry.packages(group.name)
        except HarnessError as error:
            yield Diagnosis(name=group.name, status="missing", detail=str(error), fix=error.fix)
            continue
        listed = [f"{len(names)} of {package}" for package, names in brought.items()]
        yield Diagnosis(name=group.name, status="ok", detail=", ".join(listed) or "no package brings any")
        for name in registry.names(group.name):
            try:
                registry.check(group.name, name)
            except HarnessError as error:
                detail = error.problem if error.place == name else str(error)
                yield Diagnosis(name=f"{group.noun} {name}", status="missing", detail=detail, fix=error.fix)
    for misplaced in registry.misplaced():
        yield Diagnosis(name=str(misplaced.place), status="missing", detail=misplaced.problem, fix=misplaced.fix)
