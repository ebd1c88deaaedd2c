"""Where a run is computed: in this process, or by workers that share it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from harness.checkpoints.served.energy import ServerInstrument
from harness.core.meters import SERVER, Meter, Publish
from harness.core.process.progress import Progress
from harness.engine.devices import describe_device
from harness.record.environment import peak_memory_bytes
from harness.run.metering import machine_meter, server_meter
from harness.run.planning import Plan
from harness.run.replicas.fleet import Fleet
from harness.run.replicas.nodes import fleet_meter

__all__ = ["computing_threads", "fleet_of", "meter_of", "peak_bytes", "processors_of"]


def fleet_of(plan: Plan, progress: Progress) -> AbstractContextManager[Fleet | None]:
    """The workers that the plan asks for, who begin when they are needed; None where this process computes."""
    if plan.replicas.workers is None:
        return nullcontext()
    return Fleet(plan.replicas, plan.spec.device, progress)


@contextmanager
def meter_of(plan: Plan, fleet: Fleet | None, publish: Publish, progress: Progress) -> Iterator[Meter]:
    """The meter of all that computes. The workers begin, where there are any. Raises as `machine_meter` and `Fleet`."""
    name, region = plan.spec.meter, plan.spec.region
    if name == SERVER:
        route, options = plan.checkpoint.config["counters"], plan.checkpoint.config["options"]
        with server_meter(ServerInstrument(route, options), publish, region) as meter:
            yield meter
        return
    if fleet is None:
        with machine_meter(name, publish, region, progress) as meter:
            yield meter
        return
    fleet.start()
    with fleet_meter(fleet, name, publish, region, progress) as meter:
        yield meter


def processors_of(plan: Plan, fleet: Fleet | None) -> dict[str, Any]:
    """What a run's environment records of the processors; of workers each one's machine, so that unlike ones show."""
    if fleet is None:
        return describe_device(plan.spec.device)
    fleet.start()
    workers = [{"node": one.node, "machine": one.machine, "threads": one.threads, **one.device} for one in fleet.facts]
    names = dict.fromkeys(str(one["device_name"]) for one in workers if one.get("device_name"))
    threads = {one.threads for one in fleet.facts}
    return {
        "device": plan.spec.device,
        "device_name": ", ".join(names) or None,
        "torch_threads": min(threads),
        "workers": sorted(workers, key=lambda one: str(one["node"])),
    }


def peak_bytes(fleet: Fleet | None) -> int | None:
    """The most memory that the process took, or all workers together with it."""
    own = peak_memory_bytes()
    if fleet is None or own is None:
        return own
    each = [one.peak_memory_bytes for one in fleet.now()]
    return own + sum(one for one in each if one is not None) if None not in each else None


@contextmanager
def computing_threads(plan: Plan) -> Iterator[None]:
    """Within the block this process computes with the threads asked for; workers have theirs from the start."""
    if plan.replicas.threads is None or plan.replicas.workers is not None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(plan.replicas.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
