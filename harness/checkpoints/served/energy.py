"""The energy that a server counts: counters among its metrics, in the text format of Prometheus."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from typing_extensions import override

from harness.checkpoints.served.metrics import counters_in, metrics_reader, metrics_root
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import HarnessError, InputError
from harness.core.meters import CounterReading, Instrument
from harness.core.scores import Basis
from harness.core.text.reasons import Reason

__all__ = ["EnergyRoute", "ServerInstrument", "counted_joules", "find_energy"]

ROUTES = ("/energy_metrics", "/metrics")
PARTS = ("cpu", "gpu", "ram")
WHOLE = "machine"
"""The part that holds all others; it counts where none of them is told."""


@dataclass(frozen=True, slots=True)
class _Counter:
    """What a metric of a known name counts: which `part`, in how many `joules`, and whether hardware counts it.

    With a `label`, the part is told by the value of that label, as `parts` has it; other values are parts of those.
    """

    part: str | None
    basis: Basis = "estimated"
    joules: float = 1.0
    label: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


_ZONES = MappingProxyType({"package": "cpu", "dram": "ram"})

KNOWN: Mapping[str, _Counter] = MappingProxyType(
    {
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": _Counter("gpu", "measured", joules=1e-3),
        "kepler_node_cpu_joules_total": _Counter(None, "measured", label="zone", parts=_ZONES),
        "kepler_node_package_joules_total": _Counter("cpu"),
        "kepler_node_dram_joules_total": _Counter("ram"),
        "kepler_node_gpu_joules_total": _Counter("gpu"),
        "node_rapl_package_joules_total": _Counter("cpu", "measured"),
        "node_rapl_dram_joules_total": _Counter("ram", "measured"),
        "scaph_host_energy_microjoules": _Counter(WHOLE, joules=1e-6),
        "cpu_energy_joules_total": _Counter("cpu"),
        "gpu_energy_joules_total": _Counter("gpu"),
        "ram_energy_joules_total": _Counter("ram"),
        "energy_joules_total": _Counter(WHOLE),
    }
)
"""Counters by the names that their exporters document: NVIDIA's DCGM, Kepler, Prometheus's own for nodes (RAPL),
Scaphandre; the last four are for those who write one of their own. A name that isn't here counts nobody knows what."""

_POLL_S = 0.05
_STEPS = 2
"""How often a counter is seen to move before its pace is believed."""
_SLOWEST_S = 35.0
"""Exporters look at their counters every 30 seconds at the least often."""


@dataclass(frozen=True, slots=True)
class EnergyRoute:
    """Where energy is counted: the route `path` of `url`, which `has_key` may be sent; the basis of each part."""

    url: str
    path: str
    has_key: bool
    bases: Mapping[str, Basis]


def counted_joules(metrics: str) -> dict[str, tuple[float, Basis]]:
    """Joules counted so far by part (cpu, gpu, ram, or the machine alone where it isn't told in parts), with the basis.

    What several devices of a part count is summed. Raises `ValueError` for what isn't in Prometheus's text format.
    """
    found: dict[str, tuple[float, Basis]] = {}
    for name, sample in counters_in(metrics):
        # The parser calls every counter by a name with `_total`.
        counter = KNOWN.get(f"{name}_total") or KNOWN.get(name)
        if counter is None:
            continue
        part = counter.part or counter.parts.get(sample.labels.get(counter.label, "").partition("-")[0])
        if part is None:
            continue
        before, basis = found.get(part, (0.0, counter.basis))
        worse: Basis = "measured" if basis == counter.basis == "measured" else "estimated"
        found[part] = (before + float(sample.value) * counter.joules, worse)
    return {part: one for part, one in found.items() if part != WHOLE} or found


def find_energy(url: str, options: EndpointOptions) -> EnergyRoute | None:
    """The route on which the server at `url` counts energy, by asking it; None where it has none.

    With `options.energy_url`, that is asked alone, without the key; raises `InputError` where it counts no energy.
    """
    if options.energy_url is not None:
        parts = urlsplit(options.energy_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise InputError(
                "is not an http or https address, or contains a password",
                place="--energy-url",
                fix="Write http://HOST:PORT/metrics",
            )
        root = f"{parts.scheme}://{parts.netloc}"
        path = options.energy_url.partition("#")[0][len(root) :] or "/"
        route = _route(EnergyRoute(root, path, has_key=False, bases={}), options)
        if isinstance(route, str):
            raise InputError(
                route,
                place=f"--energy-url {options.energy_url}",
                fix=f"Give the address of metrics with one of {', '.join(KNOWN)}",
            )
        return route
    tried = (_route(EnergyRoute(metrics_root(url), path, has_key=True, bases={}), options) for path in ROUTES)
    return next((one for one in tried if isinstance(one, EnergyRoute)), None)


def _route(route: EnergyRoute, options: EndpointOptions) -> EnergyRoute | str:
    """The route with what is counted there, or why that isn't known."""
    try:
        found = counted_joules(metrics_reader(route.url, route.path, options, has_key=route.has_key)())
    except HarnessError as error:
        return error.problem
    except ValueError:
        return "gives no metrics in Prometheus's text format"
    if not found:
        return "counts no energy under a name that is known"
    return replace(route, bases={part: basis for part, (_, basis) in sorted(found.items())})


class ServerInstrument(Instrument):
    """Reads the energy that a server counts, of its machine as a whole: whatever else it does counts in.

    `resolution_s` is found by watching a counter move, in up to 35 s for one that moves seldom or never.
    """

    def __init__(self, route: EnergyRoute, options: EndpointOptions) -> None:
        self._read = metrics_reader(route.url, route.path, options, has_key=route.has_key)
        self.bases = route.bases
        self.source = f"{route.url}{route.path.partition('?')[0]} ({', '.join(route.bases)})"
        unseen = "the server counts the machine as a whole" if WHOLE in route.bases else "the server doesn't count it"
        self.absent: Mapping[str, str] = {part: unseen for part in PARTS if part not in route.bases}
        self.resolution_s = self._pace()

    @override
    def read(self) -> CounterReading:
        try:
            found = counted_joules(self._read())
        except (HarnessError, ValueError) as error:
            problem = error.problem if isinstance(error, HarnessError) else "gives no metrics any more"
            why = Reason("the server {problem}", problem=problem)
            return CounterReading(joules={}, failed=dict.fromkeys(self.bases, why))
        return CounterReading(joules={part: joules for part, (joules, _) in found.items()})

    @override
    def close(self) -> None:
        """Nothing is held."""

    def _pace(self) -> float:
        """The longest time, in seconds, in which the counters stood still."""
        begun = last_at = time.monotonic()
        last, longest, steps = self.read().joules, 2 * _POLL_S, 0
        while steps <= _STEPS:
            time.sleep(_POLL_S)
            now = time.monotonic()
            if now - begun > _SLOWEST_S:
                return _SLOWEST_S
            if (read := self.read().joules) != last:
                # The first move began before anybody looked.
                longest = max(longest, now - last_at) if steps else longest
                last, last_at, steps = read, now, steps + 1
        return longest
