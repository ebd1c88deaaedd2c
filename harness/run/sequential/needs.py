"""Which tasks a number is on, and how many samples of each it takes so many steps to see."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.core.scores import OVERALL
from harness.core.tasks import Task
from harness.decision.sequential.units import Place, drawn_counts
from harness.run.planning import Plan
from harness.run.work import TaskWork, tokens_about

__all__ = ["FIRST", "LEAST", "Need", "in_bits", "need_of", "sample_cost"]

FIRST, LEAST = 64, 32
"""Steps of the first look, and the fewest that another adds."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """The tasks that a number is of, what each weighs, and how many samples each has at most."""

    places: Sequence[Place]
    weights: Sequence[float]
    most: Sequence[int]
    costs: Sequence[float]
    seed: int

    def samples(self, steps: int) -> Mapping[Place, int]:
        """How many samples of each task so many steps of its stream take, as far as there are any."""
        counts = drawn_counts(self.weights, steps, self.seed)
        return {place: min(count, most) for place, count, most in zip(self.places, counts, self.most, strict=True)}

    @property
    def first(self) -> int:
        """Steps of the first look at it."""
        return min(FIRST, self.longest)

    def after(self, steps: int, growth: float) -> int:
        """Steps of the look that follows one of so many: `growth` times as many, as far as there are any."""
        return min(max(steps + LEAST, round(steps * growth)), self.longest)

    @cached_property
    def longest(self) -> int:
        """Steps until a task has no sample left."""
        low, high = 0, sum(self.most)
        while low < high:
            middle = (low + high + 1) // 2
            counts = drawn_counts(self.weights, middle, self.seed)
            if all(count <= most for count, most in zip(counts, self.most, strict=True)):
                low = middle
            else:
                high = middle - 1
        return low

    @property
    def step_cost(self) -> float:
        """What a step costs on average, in tokens read."""
        total = math.fsum(self.weights)
        return math.fsum(weight * cost for weight, cost in zip(self.weights, self.costs, strict=True)) / total


def need_of(suite: str, task: str, plan: Plan, most: Mapping[Place, int]) -> Need | None:
    """What a number of a task, or of a suite as a whole, needs asked; None where the plan has no task for it.

    A headline is on the tasks that its suite names for it.
    """
    of_suite = [one for one in plan.work if one.planned.suite == suite]
    named = next((one.headline for one in plan.selection.suites if one.name == suite), ())
    wanted = {name for name, _ in named} if task == OVERALL else {task}
    work = [one for one in of_suite if one.planned.task.name in wanted]
    if not work:
        return None
    return Need(
        places=[one.place for one in work],
        weights=[1.0] * len(work),
        most=[most[one.place] for one in work],
        costs=[sample_cost(one) for one in work],
        seed=plan.spec.seed,
    )


def in_bits(plan: Plan) -> Plan:
    """The plan without the tasks that can't be asked bit by bit: what they ask hangs on the answers before it."""
    work = tuple(one for one in plan.work if type(one.planned.task).follow_up is Task.follow_up)
    return replace(plan, work=work, spec=replace(plan.spec, tasks=tuple(one.spec for one in work)), skipped=())


def sample_cost(work: TaskWork) -> float:
    """About how many tokens reading a sample costs, by its texts: a figure that hangs on no clock."""
    asked = [sum(map(tokens_about, requests)) for requests in work.requests[:50]]
    return max(1.0, sum(asked) / max(1, len(asked)))
