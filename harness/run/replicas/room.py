"""What workers take of a cluster, and whether it has that; and whether all of them are of one version."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.errors import InputError
from harness.engine.devices import resolve_device
from harness.record.environment import package_versions
from harness.run.replicas.cluster import require_ray
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.replica import WorkerFacts

__all__ = ["check_replicas", "device_of", "gpus_each", "refuse_strangers", "threads_each", "worker_needs"]


def check_replicas(options: ReplicaOptions, max_memory_bytes: int | None) -> None:
    """Raises `InputError` for what can't be before any worker is there."""
    if options.workers is not None:
        require_ray()
        if max_memory_bytes is not None:
            raise InputError(
                "bounds one process, and workers are several", place="--max-memory", fix="Leave one of the two out"
            )
    for name, given in (("--gpus-per-worker", options.gpus_per_worker), ("--ray-address", options.ray_address)):
        if given is not None and options.workers is None:
            raise InputError("has no effect without --workers", place=f"{name} {given}", fix="Add --workers NUMBER")


def device_of(options: ReplicaOptions, requested: str) -> str:
    """The run's device: that of the workers, where they are said to have a GPU or none. Raises as `resolve_device`."""
    if options.workers is None or options.gpus_per_worker is None:
        return resolve_device(requested)
    if options.gpus_per_worker == 0:
        return resolve_device("cpu" if requested == "auto" else requested)
    device = "cuda" if requested == "auto" else requested
    return device if options.ray_address else resolve_device(device)


def threads_each(workers: int, nodes: Sequence[Mapping[str, float]] | None, asked_for: int | None) -> int:
    """The threads of each worker: those that were asked for, or all that there are, shared out evenly, at least 1.

    `nodes` are the resources of a cluster's machines; None is this machine, with the threads that torch takes here.
    """
    if asked_for is not None:
        return asked_for
    if nodes is None:
        import torch

        own: int = torch.get_num_threads()
        return max(1, own // workers)
    processors = [int(node.get("CPU", 0)) for node in nodes if node.get("CPU", 0) >= 1]
    return max(1, min(sum(processors) // workers, *processors)) if processors else 1


def gpus_each(options: ReplicaOptions, device: str) -> float:
    """The GPUs of each worker: those that were asked for, or one where the run's device is a GPU."""
    if options.gpus_per_worker is not None:
        return options.gpus_per_worker
    return 1.0 if device.startswith("cuda") else 0.0


def worker_needs(
    options: ReplicaOptions, device: str, threads: int, nodes: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """What Ray reserves for a worker. Raises `InputError` where the cluster has less than all of them take."""
    workers, gpus = options.workers or 1, gpus_each(options, device)
    have = sum(node.get("GPU", 0.0) for node in nodes)
    if workers * gpus > have:
        raise InputError(
            f"takes {workers * gpus:g} GPUs for {workers} workers, and the cluster has {have:g}",
            place=f"--gpus-per-worker {gpus:g}",
            fix="Take fewer workers, or a share of a GPU for each, such as 0.5",
        )
    if gpus > 1 and not gpus.is_integer():
        raise InputError("is neither whole nor below 1", place=f"--gpus-per-worker {gpus:g}", fix="Give 1, 2 or 0.5")
    processors = sum(node.get("CPU", 0.0) for node in nodes)
    if workers * threads > processors:
        raise InputError(
            f"takes {workers * threads} processors with {threads} threads each, and the cluster has {processors:g}",
            place=f"--workers {workers}",
            fix="Take fewer workers or --threads",
        )
    return {"num_cpus": threads, "num_gpus": gpus}


def refuse_strangers(workers: Sequence[WorkerFacts]) -> None:
    """Raises `InputError` for a worker of another version than this process, or on a machine without the device."""
    own = package_versions()
    for one in workers:
        others = [
            f"{name} {one.versions.get(name)} and not {version}"
            for name, version in own.items()
            if one.versions.get(name) != version
        ]
        if others:
            raise InputError(
                f"has {', '.join(others)}",
                place=f"the worker on {one.node}",
                fix="Install the same versions on every machine of the cluster",
            )
        if lack := one.device.get("lack"):
            raise InputError(str(lack), place=f"the worker on {one.node}", fix="Give another --device")
