"""What a run that may stop early has asked by then is a random part of the whole, however the task drew that."""

import math
from collections import Counter

import numpy as np
import pytest

from harness.core import registry
from harness.core.requests import Loglikelihood
from harness.core.statistics.anytime.betting import Bets
from harness.core.tasks import Sample, TaskSettings
from harness.run.sequential.parts import part_of
from harness.run.work import TaskWork
from harness.suitefiles.selection import PlannedTask


def work(samples) -> TaskWork:
    planned = PlannedTask(
        suite="quiz", task=registry.task("piqa"), settings=TaskSettings(limit=None, num_fewshot=0, seed=0)
    )
    requests = tuple((Loglikelihood(context=sample.id, continuation=" yes"),) for sample in samples)
    return TaskWork(planned=planned, samples=tuple(samples), requests=requests, data_sha256=None)


def alone(count: int) -> list[Sample]:
    return [Sample(id=str(number), prompt="?") for number in range(count)]


def ids(part: TaskWork) -> list[str]:
    return [sample.id for sample in part.samples]


def test_a_larger_part_contains_a_smaller_one_in_the_order_of_the_task_and_hangs_on_the_seed():
    whole = work(alone(50))
    few, more = part_of(whole, 10, 0), part_of(whole, 30, 0)
    assert (len(few.samples), len(more.samples), few.is_part) == (10, 30, True)
    assert set(ids(few)) < set(ids(more))
    assert ids(more) == sorted(ids(more), key=int)
    assert [requests[0].context for requests in few.requests] == ids(few)
    assert ids(part_of(whole, 10, 1)) != ids(few)
    assert part_of(whole, 50, 0) is whole


def test_samples_that_share_a_passage_come_together():
    samples = [Sample(id=str(number), prompt="?", cluster=str(number // 4)) for number in range(40)]
    part = part_of(work(samples), 10, 0)
    assert len(part.samples) == 12
    assert set(Counter(sample.cluster for sample in part.samples).values()) == {4}
    assert ids(part_of(work(samples), len(part.samples), 0)) == ids(part)


@pytest.mark.parametrize("population", [300, None])
def test_a_part_of_classes_of_unlike_size_errs_no_more_often_than_it_says(population):
    # The large class is at 0.2, the small ones at 1: as many of each would say 0.73, and the truth is 0.31.
    values = np.array([float(number % 5 == 0) if number < 260 else 1.0 for number in range(300)])
    samples = alone(300)
    bets = Bets(lowest=0.0, highest=1.0, effect=0.05, population=population)
    seeds, wrong = 150, 0
    for seed in range(seeds):
        part = [int(one) for one in ids(part_of(work(samples), 150, seed))]
        drawn = values[np.random.default_rng(seed).permutation(part)]
        wrong += bool((bets.log_wealth(drawn, float(values.mean())) >= math.log(20)).any())
    # Of 150 true hypotheses 7.5 are refuted at the most on average; 15 or more would have a chance of 1 in 100.
    assert wrong < 15
