from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.meters import CounterReading, Window
from harness.core.scores import Basis
from probes.energy.grid import Grid
from probes.energy.windows import WINDOW_S, WindowedMeter

GRID = Grid(region="TST", country_code="TST", grams_per_kwh=100.0, source="a test")


class World:
    """A clock that moves when told, and a counter that gathers the power drawn meanwhile."""

    source = "a scripted counter"
    bases: Mapping[str, Basis] = {"cpu": "measured", "ram": "measured"}
    absent: Mapping[str, str] = {"gpu": "none in this world"}
    resolution_s = 0.1

    def __init__(self) -> None:
        self.now = 0.0
        self.joules = {"cpu": 1e6, "ram": 5.0}
        self.failure: str | None = None
        self.is_closed = False
        self.windows: list[Window] = []
        self.meter = WindowedMeter(self.windows.append, self, GRID, clock=lambda: self.now)

    def read(self) -> CounterReading:
        if self.failure:
            return CounterReading(joules={}, failed=dict.fromkeys(self.bases, self.failure))
        return CounterReading(joules=dict(self.joules))

    def close(self) -> None:
        self.is_closed = True

    def work(self, seconds: float, watts: float = 10.0) -> None:
        self.now += seconds
        self.joules["cpu"] += seconds * watts
        self.joules["ram"] += seconds * 2.0


def total(windows: list[Window]) -> float:
    return sum(window.energy_joules or 0.0 for window in windows)


Step = tuple[str, float, float, int]
steps = st.tuples(
    st.sampled_from(["prefill", "decode", "same"]),
    st.sampled_from([0.0, 0.01, 0.05, 0.3, 3.0]),
    st.floats(min_value=1, max_value=500),
    st.integers(min_value=0, max_value=100),
)


def play(world: World, phases: list[list[Step]]) -> None:
    for index, phase in enumerate(phases):
        with world.meter.phase(f"suite/{index}"):
            for stage, seconds, watts, tokens in phase:
                if stage != "same":
                    world.meter.stage(stage)
                world.work(seconds, watts)
                world.meter.count(tokens=tokens, requests=1)


@given(st.lists(st.lists(steps, max_size=12), min_size=1, max_size=4))
def test_windows_hold_every_second_token_and_request_once(phases: list[list[Step]]) -> None:
    world = World()
    play(world, phases)
    for index, phase in enumerate(phases):
        mine = [window for window in world.windows if window.phase == f"suite/{index}"]
        assert sum(window.duration_s for window in mine) == pytest.approx(sum(seconds for _, seconds, _, _ in phase))
        assert sum(window.token_count for window in mine) == sum(tokens for _, _, _, tokens in phase)
        assert sum(window.request_count for window in mine) == len(phase)
        assert all(window.duration_s >= 0 for window in mine)


@given(st.lists(st.lists(steps, min_size=1, max_size=12), min_size=1, max_size=4))
def test_phases_that_follow_each_other_share_out_every_joule_once(phases: list[list[Step]]) -> None:
    world = World()
    before = sum(world.joules.values())
    long = [[("decode", 0.3, 50.0, 1), *phase] for phase in phases]
    play(world, long)
    assert total(world.windows) == pytest.approx(sum(world.joules.values()) - before)


@given(st.lists(steps, min_size=1, max_size=20))
def test_at_constant_power_each_window_has_power_times_duration(phase: list[Step]) -> None:
    world = World()
    play(world, [[(stage, max(seconds, 0.05), 30.0, tokens) for stage, seconds, _, tokens in [*phase, *phase]]])
    for window in world.windows:
        assert window.energy_joules is not None
        assert window.energy_joules == pytest.approx(32.0 * window.duration_s)
        assert window.components_joules["cpu"] == pytest.approx(30.0 * window.duration_s)


def test_stages_with_different_power_keep_their_own_energy() -> None:
    world = World()
    with world.meter.phase("a/generate_until"):
        for _ in range(3):
            world.meter.stage("prefill")
            world.work(0.5, watts=100)
            world.meter.count(tokens=40, requests=0)
            world.meter.stage("decode")
            world.work(1.0, watts=20)
            world.meter.count(tokens=9, requests=1)
    prefill, decode = world.windows
    assert (prefill.stage, prefill.duration_s, prefill.token_count) == ("prefill", pytest.approx(1.5), 120)
    assert prefill.energy_joules == pytest.approx(3 * 0.5 * 102)
    assert (decode.stage, decode.duration_s, decode.request_count) == ("decode", pytest.approx(3.0), 3)
    assert decode.energy_joules == pytest.approx(3 * 1.0 * 22)


def test_a_long_stage_is_cut_at_counts_so_that_a_killed_run_loses_little() -> None:
    world = World()
    with world.meter.phase("a/loglikelihood"):
        world.meter.stage("prefill")
        for _ in range(12):
            world.work(1.0)
            world.meter.count(tokens=10, requests=1)
        assert [window.duration_s for window in world.windows] == pytest.approx([WINDOW_S, WINDOW_S])
    assert [window.token_count for window in world.windows] == [50, 50, 20]


def test_what_happens_between_phases_is_in_no_window() -> None:
    world = World()
    for _ in range(2):
        world.work(7.0, watts=1000)
        with world.meter.phase("idle"):
            world.work(1.0)
    assert [window.energy_joules for window in world.windows] == pytest.approx([12.0, 12.0])


def test_an_exception_inside_a_phase_still_publishes_what_was_measured() -> None:
    world = World()

    def fail() -> None:
        with world.meter.phase("load"):
            world.work(2.0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    (window,) = world.windows
    assert (window.phase, window.energy_joules) == ("load", pytest.approx(24.0))
    with world.meter.phase("idle"):
        world.work(1.0)
    assert world.windows[-1].phase == "idle"


def test_a_phase_shorter_than_the_resolution_has_no_energy_but_a_reason() -> None:
    world = World()
    with world.meter.phase("a/loglikelihood"):
        world.work(0.04)
        world.meter.count(tokens=3, requests=1)
    (window,) = world.windows
    assert window.energy_joules is None
    assert window.components_joules == {}
    assert window.reason is not None
    assert "less than the 0.1 s" in window.reason
    assert window.token_count == 3


def test_a_stage_shorter_than_the_resolution_counts_as_estimated() -> None:
    world = World()
    with world.meter.phase("a/generate_until"):
        world.meter.stage("prefill")
        world.work(0.02)
        world.meter.count(tokens=5, requests=0)
        world.meter.stage("decode")
        world.work(1.0)
        world.meter.count(tokens=5, requests=1)
    assert [(window.stage, window.basis) for window in world.windows] == [
        ("prefill", "estimated"),
        ("decode", "measured"),
    ]


def _reset(world: World) -> None:
    world.joules["cpu"] = 0.0


def _lose(world: World) -> None:
    world.failure = "OSError: no such device"


def _freeze(world: World) -> None:
    world.joules["cpu"] = 1e6


@pytest.mark.parametrize(
    ("breakage", "words"),
    [(_reset, "ran backwards"), (_lose, "no such device"), (_freeze, "did not advance")],
)
def test_a_broken_counter_leaves_the_energy_absent_with_the_reason(
    breakage: Callable[[World], None], words: str
) -> None:
    world = World()
    with world.meter.phase("load"):
        world.work(1.0)
        breakage(world)
    (window,) = world.windows
    assert window.energy_joules is None
    assert "cpu" not in window.components_joules
    assert words in window.absent["cpu"]
    assert window.reason is not None
    assert words in window.reason


def test_windows_carry_the_region_its_intensity_and_what_is_absent() -> None:
    world = World()
    with world.meter.phase("load"):
        world.work(1.0)
    (window,) = world.windows
    assert (window.region, window.carbon_grams_per_kwh) == ("TST", 100.0)
    assert window.absent == {"gpu": "none in this world"}


def test_phases_that_nest_and_work_outside_a_phase_are_refused() -> None:
    world = World()
    with pytest.raises(RuntimeError, match="outside a phase"):
        world.meter.stage("decode")
    with pytest.raises(RuntimeError, match="outside a phase"):
        world.meter.count(tokens=1, requests=1)
    with world.meter.phase("load"), pytest.raises(RuntimeError, match="inside the phase load"):
        world.meter.phase("idle").__enter__()


def test_closing_the_meter_closes_the_instrument() -> None:
    world = World()
    world.meter.close()
    assert world.is_closed
