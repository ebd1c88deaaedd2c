"""The energy of several machines is the sum of what the meter of each saw, or absent with the reason."""

from collections.abc import Sequence
from typing import Any

import pytest

from harness.core.meters import Window
from harness.run.summed_meter import CUT_S, SummedMeter


class Scripted:
    """The meter of a machine that sees the same in each phase."""

    is_measuring = True

    def __init__(self, *windows: Window) -> None:
        self.windows = windows
        self.begun: list[str] = []

    def begin(self, phase: str) -> None:
        self.begun.append(phase)

    def end(self) -> Sequence[Window]:
        return self.windows


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def window(joules: float | None, **more: Any) -> Window:
    parts = {} if joules is None else {"cpu": joules}
    told: dict[str, Any] = {"phase": "a/b", "duration_s": 1.0, "basis": "measured", "source": "RAPL", **more}
    return Window(energy_joules=joules, components_joules=parts, **told)


def seen(meter: SummedMeter, *, work: Sequence[tuple[str, int]] = (("prefill", 10),)) -> None:
    with meter.phase("a/b"):
        for stage, tokens in work:
            meter.stage(stage)
            meter.count(tokens=tokens, requests=1)


def test_joules_and_work_are_summed_and_each_machine_is_named() -> None:
    found: list[Window] = []
    told = {"components_basis": {"cpu": "measured"}}
    machines = {
        "alpha": Scripted(window(3.0, **told), window(4.0, **told)),
        "beta": Scripted(window(5.0, source="NVML", components_basis={"cpu": "estimated"})),
    }
    seen(SummedMeter(machines, found.append), work=[("prefill", 10), ("prefill", 20)])
    (one,) = found
    assert (one.phase, one.stage, one.energy_joules, one.components_joules) == ("a/b", "prefill", 12.0, {"cpu": 12.0})
    assert (one.token_count, one.request_count, one.basis) == (30, 2, "measured")
    assert one.components_basis == {"cpu": "estimated"}
    assert one.source == "alpha: RAPL; beta: NVML"


def test_work_of_several_stages_has_none_since_it_is_done_at_once() -> None:
    found: list[Window] = []
    seen(SummedMeter({"alpha": Scripted(window(3.0))}, found.append), work=[("prefill", 10), ("decode", 2)])
    assert (found[0].stage, found[0].token_count, found[0].source) == (None, 12, "RAPL")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (Scripted(window(None, reason="no permission", absent={"gpu": "no NVML"})), "beta: no permission"),
        (Scripted(), "beta: its meter saw nothing"),
    ],
)
def test_a_machine_without_energy_makes_the_sum_absent(other: Scripted, reason: str) -> None:
    found: list[Window] = []
    seen(SummedMeter({"alpha": Scripted(window(3.0)), "beta": other}, found.append))
    assert (found[0].energy_joules, found[0].reason) == (None, reason)
    assert found[0].token_count == 10


def test_a_part_that_one_machine_lacks_is_absent_in_the_sum() -> None:
    found: list[Window] = []
    machines = {"alpha": Scripted(window(3.0)), "beta": Scripted(window(2.0, absent={"cpu": "no RAPL"}))}
    seen(SummedMeter(machines, found.append))
    assert found[0].components_joules == {}
    assert found[0].absent == {"cpu": "beta: no RAPL"}


def test_what_a_machine_without_a_meter_did_is_in_no_sum() -> None:
    found: list[Window] = []
    meter = SummedMeter({"alpha": Scripted(window(3.0))}, found.append)
    with meter.phase("a/b"):
        meter.miss("a machine joined")
        meter.count(tokens=1, requests=1)
    seen(meter)
    assert [(one.energy_joules, one.reason) for one in found] == [(None, "a machine joined"), (3.0, None)]


def test_a_long_phase_is_cut_so_that_a_killed_run_loses_little() -> None:
    clock, found = Clock(), list[Window]()
    machine = Scripted(window(3.0))
    meter = SummedMeter({"alpha": machine}, found.append, clock)
    with meter.phase("a/b"):
        for _ in range(4):
            clock.now += CUT_S / 2
            meter.count(tokens=1, requests=1)
    assert [one.token_count for one in found] == [2, 2, 0]
    assert sum(one.duration_s for one in found) == 2 * CUT_S
    assert machine.begun == ["a/b"] * 3
