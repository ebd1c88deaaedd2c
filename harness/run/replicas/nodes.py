"""The meters of the machines that workers run on: one each, however many workers it has."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from typing_extensions import override

from harness.core.meters import Meter, NullMeter, Publish, Window
from harness.core.process.progress import Progress, Quiet
from harness.run.metering import is_measuring, machine_meter
from harness.run.replicas.fleet import Fleet
from harness.run.summed_meter import MachineMeter, SummedMeter

__all__ = ["NodeMeter", "fleet_meter"]

_log = logging.getLogger(__name__)


class NodeMeter:
    """The meter of the machine that it runs on, asked phase by phase. As an actor of Ray's it is another machine's."""

    def __init__(self, name: str, region: str | None, progress: Progress | None = None) -> None:
        self._windows: list[Window] = []
        self._stack, self._phase = ExitStack(), ExitStack()
        self._meter = self._stack.enter_context(machine_meter(name, self._windows.append, region, progress or Quiet()))

    @property
    def is_measuring(self) -> bool:
        """Whether it is an instrument."""
        return is_measuring(self._meter)

    def measures(self) -> bool:
        """As `is_measuring`, for whoever can only call."""
        return self.is_measuring

    def begin(self, phase: str) -> None:
        """What follows is work of the phase."""
        self._phase.enter_context(self._meter.phase(phase))

    def end(self) -> list[Window]:
        """The phase is over: what was seen of it."""
        self._phase.close()
        seen, self._windows[:] = list(self._windows), []
        return seen

    def close(self) -> None:
        """Give the instrument back."""
        self._phase.close()
        self._stack.close()


class _Remote(MachineMeter):
    """The meter of another machine, whose loss costs the run nothing but its energy."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor

    @property
    @override
    def is_measuring(self) -> bool:
        return bool(self._asked(self._actor.measures.remote()))

    @override
    def begin(self, phase: str) -> None:
        self._asked(self._actor.begin.remote(phase))

    @override
    def end(self) -> Sequence[Window]:
        return self._asked(self._actor.end.remote()) or ()

    def _asked(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            _log.debug("the meter of a machine doesn't answer: %s", error)
            return None


@contextmanager
def fleet_meter(fleet: Fleet, name: str, publish: Publish, region: str | None, progress: Progress) -> Iterator[Meter]:
    """The meter of that name, or `none`, on each machine that has workers, and their sum. As `machine_meter`."""
    if name == "none":
        yield NullMeter()
        return
    ray = fleet.ray
    machines: dict[str, MachineMeter] = {}
    # A client is on none of the cluster's machines, though Ray would name that of its server.
    is_client = import_module("ray.util.client").ray.is_connected()
    here = None if is_client else ray.get_runtime_context().get_node_id()
    with ExitStack() as stack:
        for node_id, node in fleet.node_names.items():
            if node_id == here:
                own = NodeMeter(name, region, progress)
                stack.callback(own.close)
                machines[_distinct(node, machines)] = own
                continue
            at: Any = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy(
                node_id, soft=False
            )
            actor = ray.remote(NodeMeter).options(num_cpus=0, scheduling_strategy=at).remote(name, region)
            stack.callback(ray.kill, actor)
            machines[_distinct(node, machines)] = _Remote(ray, actor)
        yield SummedMeter(machines, publish)


def _distinct(node: str, taken: Collection[str]) -> str:
    """Machines may share a name."""
    number = 1 + sum(name.partition(" #")[0] == node for name in taken)
    return node if number == 1 else f"{node} #{number}"
