"""What a checkpoint takes beside what it scores: bytes, memory, joules."""

from dataclasses import dataclass

from harness.decision.scored import Scored

__all__ = ["Cost", "costs", "relation"]

_CHECKPOINT = (("size_bytes", "B"), ("parameter_count", ""), ("bits_per_weight", "bits"))
_RUN = "run"
"""The task of a meter's readings under which those of the whole run stand."""

_ENERGY = (
    "energy_joules",
    "net_energy_joules",
    "joules_per_token_prefill",
    "joules_per_token_decode",
    "carbon_grams",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One cost of two runs; `ratio` is the second over the first. None where a run doesn't know it."""

    name: str
    unit: str
    first: float | None
    second: float | None

    @property
    def ratio(self) -> float | None:
        """The second as so many times the first."""
        return self.second / self.first if self.first and self.second is not None else None


def costs(first: Scored, second: Scored) -> list[Cost]:
    """Size and precision of the weights, the largest memory in use, and the energy of the whole run.

    What neither run knows is left out.
    """
    found = [
        Cost(name=name, unit=unit, first=first.record.checkpoint.get(name), second=second.record.checkpoint.get(name))
        for name, unit in _CHECKPOINT
    ]
    memory = [run.record.environment.get("peak_memory_bytes") for run in (first, second)]
    found.append(Cost(name="peak_memory_bytes", unit="B", first=memory[0], second=memory[1]))
    for name in _ENERGY:
        readings = [
            next((one for key, one in run.estimates.items() if key in run.readings and key[1:3] == (_RUN, name)), None)
            for run in (first, second)
        ]
        values = [None if reading is None else reading.value for reading in readings]
        unit = next((reading.unit for reading in readings if reading), "")
        found.append(Cost(name=name, unit=unit, first=values[0], second=values[1]))
    return [cost for cost in found if cost.first is not None or cost.second is not None]


def relation(first: Scored, second: Scored) -> str | None:
    """How the second checkpoint comes from the first, where the records say so."""
    one, other = first.record.checkpoint, second.record.checkpoint
    if other.get("parent_fingerprint") == one["fingerprint"]:
        return "the second checkpoint is an adapter on the first"
    if other["fingerprint"] == one["fingerprint"]:
        return "both are the same checkpoint"
    return None
