"""Simulated workers against times by hand, and what more or worse workers may change."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.scaling.plans import LEADERBOARD, leaderboard, read_plan, write_plan
from benchmarks.scaling.simulation import TRIES, Load, Machine, simulate

PLAIN = Machine(
    reading=1000,
    writing=100,
    batch_s=0.0,
    start_s=0.0,
    jitter=0.0,
    stragglers=0.0,
    hours_to_failure=1e9,
    driver_s=0.0,
    busy_watts=500,
    idle_watts=100,
    usd_per_hour=3.6,
)
ROUGH = replace(
    PLAIN, start_s=5.0, jitter=0.2, stragglers=0.2, hours_to_failure=0.05, driver_s=0.01, straggling=3.0, batch_s=0.1
)


def test_one_worker_takes_the_time_of_all_batches() -> None:
    found = simulate([[Load(1000), Load(500, 50)], [Load(2000)]], PLAIN, 1)
    assert found.seconds == pytest.approx(1 + 1 + 2)
    assert found.efficiency == pytest.approx(1.0)
    assert found.usd == pytest.approx(4 * 0.001)
    assert found.joules == pytest.approx(4 * 500)


def test_the_largest_batch_comes_first_and_phases_wait_for_each_other() -> None:
    # 6, 5, 4, 3, 2 on two workers: 6 and 5, then 4 to the second (9), 3 to the first (9), 2 to either (11); then 1.
    found = simulate([[Load(2000), Load(3000), Load(4000), Load(5000), Load(6000)], [Load(1000)]], PLAIN, 2)
    assert found.seconds == pytest.approx(11 + 1)
    assert found.efficiency == pytest.approx(21 / 24)
    assert found.joules == pytest.approx(21 * 500 + 3 * 100)


def test_the_driver_is_the_bound_where_batches_are_small() -> None:
    many = [[Load(1000)] * 4000]
    found = simulate(many, replace(PLAIN, driver_s=0.1), 1000)
    assert found.seconds >= 400
    assert simulate(many, PLAIN, 1000).seconds == pytest.approx(4)


def test_stragglers_take_as_long_as_is_stated() -> None:
    found = simulate([[Load(1000)] * 10], replace(PLAIN, stragglers=1.0, straggling=2.5), 10)
    assert found.seconds == pytest.approx(2.5)


def test_a_batch_at_which_every_worker_dies_is_given_up() -> None:
    # Workers live for about 4 s and the batch takes 1,000.
    found = simulate([[Load(1_000_000)]], replace(PLAIN, hours_to_failure=0.001), 5)
    assert (found.deaths, found.invalid) == (TRIES, 1)


plans = st.lists(
    st.lists(st.builds(Load, st.integers(1, 5000), st.integers(0, 50)), max_size=30), min_size=1, max_size=4
)


@settings(max_examples=60)
@given(plans.filter(any), st.integers(1, 40), st.integers(0, 5))
def test_no_crowd_is_faster_than_its_size_and_all_is_as_the_seed_has_it(
    plan: list[list[Load]], workers: int, seed: int
) -> None:
    plain = simulate(plan, PLAIN, workers, seed)
    assert plain.speedup <= workers * (1 + 1e-9)
    assert plain.seconds <= simulate(plan, PLAIN, 1, seed).seconds * (1 + 1e-9)
    rough = simulate(plan, ROUGH, workers, seed)
    assert rough == simulate(plan, ROUGH, workers, seed)
    assert rough.invalid <= sum(map(len, plan))
    assert rough.efficiency > 0


def test_stated_counts_are_all_in_the_batches() -> None:
    loads = [load for phase in leaderboard(65536).values() for load in phase]
    tasks = LEADERBOARD.values()
    assert sum(load.read for load in loads) == sum(
        task.samples * (task.prompt + task.choices * task.choice) for task in tasks
    )
    assert sum(load.written for load in loads) == sum(task.samples * task.written for task in tasks)
    assert max(load.read for load in loads) <= 65536


def test_a_kept_plan_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    found = {"a": [Load(3, 4), Load(5)], "b": []}
    write_plan(found, path)
    assert read_plan(path) == found
    path.write_text(json.dumps({"a": [[-1, 0]]}))
    with pytest.raises(ValueError, match="below 0"):
        read_plan(path)
