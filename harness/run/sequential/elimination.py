"""Which of several checkpoints are the best, found by asking the others no more than it takes to leave them out."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import combinations

from harness.core.errors import InputError
from harness.core.process.network import offline_if
from harness.core.process.progress import Progress, Quiet
from harness.core.scores import OVERALL
from harness.core.statistics.anytime.top import Standing, TopSearch
from harness.decision.keys import Key
from harness.decision.scored import Scored
from harness.decision.sequential.bounds import AnytimeBounds
from harness.decision.sequential.shared import SharedSamples
from harness.decision.sequential.units import Order
from harness.record import RunRecord
from harness.run.options import EvalOptions, given_options
from harness.run.planning import Plan, plan
from harness.run.sequential.budget import Budget
from harness.run.sequential.growing import GrowingRun
from harness.run.sequential.needs import Need, in_bits, need_of

__all__ = ["CONFIDENCE", "DIFFERENCE", "GROWTH", "Elimination", "Ranked", "rank_checkpoints"]

CONFIDENCE = 0.95
GROWTH = 1.5
DIFFERENCE = 0.03
"""What is looked for between two checkpoints: true differences of this size are found soonest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A checkpoint, its record, its score on the `n` samples that it was asked, and whether it is among the best.

    `better_than` and `worse_than` count the others of which that was told on the way, each with more than the search's
    confidence, but not all of them together.
    """

    model: str
    record: RunRecord
    score: float | None
    n: int
    place: Standing
    better_than: int
    worse_than: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Elimination:
    """The checkpoints, the best first, by what they were ranked, and why it ended: `decided`, `exhausted`, `budget`."""

    on: str
    models: Sequence[Ranked]
    ended_by: str


@dataclass(kw_only=True)
class _Runner:
    model: str
    growing: GrowingRun
    record: RunRecord | None = None
    place: Standing = "open"


def rank_checkpoints(
    models: Sequence[str],
    *,
    top: int,
    suite: str,
    options: EvalOptions | None = None,
    budget: Budget | None = None,
    confidence: float = CONFIDENCE,
    progress: Progress | None = None,
) -> Elimination:
    """Find the `top` of several checkpoints by a suite's headline, or by the first metric of its only task.

    Successive elimination (Even-Dar, Mannor and Mansour, 2006): all that are open are asked the same samples, batch by
    batch; who is surely worse than `top` others is out, who is surely better than all but `top` others is in, and both
    are asked no more. "Surely" is by bounds that hold at every moment, each at a level that makes the chance that
    anybody is in or out wrongly at most 1 - `confidence` (`TopSearch`). Raises `InputError` as `decide`.
    """
    options, progress, began = given_options(options), progress or Quiet(), time.monotonic()
    if len(set(models)) < len(models) or not 1 <= top < len(models):
        raise InputError(
            f"needs more than {top} checkpoints, each named once, to tell the {top} best of", place="harness rank"
        )
    options = replace(options, limit=options.limit or "all")
    with offline_if(options.offline, *models), ExitStack() as stack:
        plans = [_planned(model, suite, options) for model in models]
        if len({one.spec.run_id for one in plans}) < len(plans):
            raise InputError(
                "two of the checkpoints are the same, file by file", place="harness rank", fix="Leave one out"
            )
        if budget is not None:
            budget.require_meter(plans[0].spec.meter)
        key, need = _ranked_by(plans)
        runners = [
            _Runner(model=model, growing=stack.enter_context(GrowingRun(one, options.output, None, progress)))
            for model, one in zip(models, plans, strict=True)
        ]
        steps, search = need.first, TopSearch(count=len(models), top=top)
        while True:
            for runner in runners:
                if runner.place == "open":
                    runner.record = runner.growing.look(need.samples(steps))
                    runner.growing.rest()
            _judge(runners, key, search, confidence)
            ended_by = _ended(runners, steps >= need.longest, budget, began)
            if ended_by:
                return Elimination(on=str(key), models=_listed(runners, key, search), ended_by=ended_by)
            steps = need.after(steps, GROWTH)


def _planned(model: str, suite: str, options: EvalOptions) -> Plan:
    return in_bits(plan(model, suite=suite, task=(), options=options))


def _ranked_by(plans: Sequence[Plan]) -> tuple[Key, Need]:
    """The number that the checkpoints are ranked by, and what it needs asked."""
    first = plans[0]
    if not first.work:
        raise InputError(
            "has nothing to rank by that can be asked bit by bit", place="harness rank", fix="Give a --suite"
        )
    if any([each.place for each in one.work] != [each.place for each in first.work] for one in plans):
        raise InputError(
            "not all of the checkpoints can be asked the same tasks",
            place="harness rank",
            fix="Rank one kind at a time",
        )
    name = first.work[0].planned.suite
    headline = next((suite.headline for suite in first.selection.suites if suite.name == name), ())
    if not headline and len(first.work) > 1:
        raise InputError("has no headline to rank by", place=f"--suite {name}", fix="Give a suite file of one task")
    task = first.work[0].planned.task
    if not headline and (not task.metrics or task.metrics[0].direction is None):
        raise InputError(
            "has no number of which more, or less, is better",
            place=f"--suite {name}",
            fix="Give its task such a metric",
        )
    key = Key(name, OVERALL, "score") if headline else Key(name, task.name, task.metrics[0].name)
    counts = {one.place: len(one.samples) for one in first.work}
    need = need_of(key.suite, key.task, first, counts)
    if need is None:
        raise InputError("has nothing to rank by", place=f"--suite {name}")
    return key, need


def _judge(runners: Sequence[_Runner], key: Key, search: TopSearch, confidence: float) -> None:
    """Add who is surely better than whom, and say who is in and who is out."""
    level = search.confidence_of_each(confidence)
    scored = [Scored(runner.record) for runner in runners if runner.record is not None]
    for one, other in combinations(range(len(runners)), 2):
        sign = _surely(scored[one], scored[other], key, level)
        if sign:
            search.claims.add((one, other) if sign > 0 else (other, one))
    for runner, standing in zip(runners, search.standings, strict=True):
        if runner.place == "open":
            runner.place = standing


def _surely(one: Scored, other: Scored, key: Key, level: float) -> int:
    """1 where the first is surely better, -1 where the second is, 0 where neither is."""
    # The one that was asked less is held against the other, of which only what both were asked counts.
    fewer, more, sign = (one, other, 1) if one.estimates[key].n <= other.estimates[key].n else (other, one, -1)
    order = Order.of(fewer.record)
    assert order is not None
    shared = SharedSamples(more.record, fewer)
    found = AnytimeBounds(fewer, shared, level, order).against(key, DIFFERENCE).difference
    if found is None or found.low is None or found.high is None:
        return 0
    if one.estimates[key].direction == "lower":
        sign = -sign
    return sign if found.low > 0 else -sign if found.high < 0 else 0


def _ended(runners: Sequence[_Runner], exhausted: bool, budget: Budget | None, began: float) -> str:
    if all(runner.place != "open" for runner in runners):
        return "decided"
    if exhausted:
        return "exhausted"
    joules = [runner.growing.joules for runner in runners]
    known = [one for one in joules if one is not None]
    spent = budget is not None and budget.is_spent(
        seconds=time.monotonic() - began,
        requests=sum(len(runner.growing.writer.responses) for runner in runners),
        joules=sum(known) if len(known) == len(joules) else None,
    )
    return "budget" if spent else ""


def _listed(runners: Sequence[_Runner], key: Key, search: TopSearch) -> list[Ranked]:
    found = []
    for number, runner in enumerate(runners):
        assert runner.record is not None
        kept = runner.growing.keep(runner.record)
        estimate = Scored(kept).estimates[key]
        found.append(
            Ranked(
                model=runner.model,
                record=kept,
                score=estimate.value,
                n=estimate.n,
                place=runner.place,
                better_than=search.better_than(number),
                worse_than=search.worse_than(number),
            )
        )
    return sorted(found, key=lambda one: (("in", "open", "out").index(one.place), one.worse_than - one.better_than))
