import math

from hypothesis import given
from hypothesis import strategies as st

from harness.core.meters import CounterReading
from probes.energy.readings import energy_between

joules = st.floats(min_value=0, max_value=1e12)
parts = st.dictionaries(st.sampled_from(["cpu", "ram", "gpu"]), joules)
anything = st.dictionaries(st.sampled_from(["cpu", "ram", "gpu"]), st.floats())


@given(parts, st.dictionaries(st.sampled_from(["cpu", "ram", "gpu"]), st.floats(min_value=0, max_value=1e6)))
def test_a_counter_that_only_goes_up_gives_the_difference(start: dict[str, float], more: dict[str, float]) -> None:
    end = {part: value + more.get(part, 0.0) for part, value in start.items()}
    spent = energy_between(CounterReading(joules=start), CounterReading(joules=end))
    assert spent.failed == {}
    assert spent.joules == {part: end[part] - start[part] for part in start}


@given(anything, anything)
def test_each_part_has_either_energy_of_at_least_0_or_a_reason(a: dict[str, float], b: dict[str, float]) -> None:
    spent = energy_between(CounterReading(joules=a), CounterReading(joules=b))
    assert spent.joules.keys() | spent.failed.keys() == a.keys() | b.keys()
    assert not spent.joules.keys() & spent.failed.keys()
    assert all(math.isfinite(value) and value >= 0 for value in spent.joules.values())
    assert all(spent.failed.values())


@given(st.floats(min_value=1e-3, max_value=1e9), st.floats(min_value=1e-3, max_value=1e9))
def test_a_counter_that_was_reset_gives_no_energy_but_a_reason(start: float, drop: float) -> None:
    spent = energy_between(CounterReading(joules={"cpu": start + drop}), CounterReading(joules={"cpu": start}))
    assert spent.joules == {}
    assert "backwards" in spent.failed["cpu"]


def test_a_counter_that_can_no_longer_be_read_says_what_the_driver_said() -> None:
    spent = energy_between(
        CounterReading(joules={"gpu": 5.0}), CounterReading(joules={}, failed={"gpu": "NVMLError: GPU is lost"})
    )
    assert spent.joules == {}
    assert "GPU is lost" in spent.failed["gpu"]
