"""What every suite promises."""

from collections.abc import Sequence

from harness.core import registry
from harness.core.meters import IDLE, Window
from harness.core.scores import Estimate, SampleGroup
from harness.core.tasks import Results, Suite, Task
from harness.testing.asked import scored
from harness.testing.demands import demand, told_of

__all__ = ["check_suite"]


def check_suite(suite: Suite, *, limit: int = 0) -> None:
    """Raises `AssertionError` where a suite breaks its contract, with what it broke.

    Checked are: name and docstring; that its tasks are registered; that each part of its headline is a metric of one of
    them, all of one unit and direction or target; and that what it derives has n, unit, direction or target, a value or
    the reason for none, and is described in `derived`. It derives from nothing, and, where `limit` is above 0, from
    made-up answers to so many samples of each task.
    """
    with told_of(f"the suite {getattr(suite, 'name', None) or type(suite).__name__}"):
        demand(isinstance(suite, Suite), "it is no `harness.core.tasks.Suite`: give an instance of your class")
        demand(isinstance(getattr(suite, "name", None), str) and bool(suite.name.strip()), "it has no `name`")
        demand(bool((type(suite).__doc__ or "").strip()), "its class has no docstring, which `harness suites` shows")
        demand(bool(getattr(suite, "tasks", ())), "it names no `tasks`")
        demand(len(set(suite.tasks)) == len(suite.tasks), "it names a task twice")
        known = registry.names("harness.tasks")
        missing = [name for name in suite.tasks if name not in known]
        demand(not missing, f"no task is registered as {', '.join(missing)}")
        tasks = [registry.task(name) for name in suite.tasks]
        _check_headline(suite, tasks)
        if suite.repeated is not None:
            demand(suite.repeated in suite.tasks, f"`repeated` is {suite.repeated}, which is none of its tasks")
        _check_derived(suite, suite.derive(Results(scores={}, estimates=(), windows=(), signature="s")))
        if limit:
            _check_derived(suite, suite.derive(_results(suite, tasks, limit)))


def _check_headline(suite: Suite, tasks: Sequence[Task]) -> None:
    metrics = {(task.name, metric.name): metric for task in tasks for metric in task.metrics}
    derived = {name for names in suite.derived for name in names}
    for task, metric in suite.headline:
        known = (task, metric) in metrics or (task in suite.tasks and metric in derived)
        demand(known, f"its headline has {task}/{metric}, which is no metric of one of its tasks")
    parts = [metrics[part] for part in suite.headline if part in metrics]
    kinds = {(metric.unit, metric.direction, metric.target) for metric in parts}
    demand(len(kinds) <= 1, "the parts of its headline differ in unit, direction or target, so no mean makes sense")


def _check_derived(suite: Suite, estimates: Sequence[Estimate]) -> None:
    described = {name for names in suite.derived for name in names}
    seen: set[tuple[str, str, SampleGroup | None]] = set()
    for one in estimates:
        with told_of(f"the estimate {one.task}/{one.metric} that it derives"):
            key = one.task, one.metric, one.group
            demand(key not in seen, "there are two of that name and group")
            seen.add(key)
            demand(one.suite == suite.name, f"it says that it is of the suite {one.suite!r}")
            demand(isinstance(one.n, int) and one.n >= 0, f"its n is {one.n!r}")
            demand(one.value is None or one.n > 0, "it has a value, and its n is 0")
            demand(bool(one.unit.strip()), "it has no unit")
            demand(bool(one.signature), "it has no signature")
            demand(one.reason is None or bool(one.reason), "it has neither a value nor the reason for none")
            demand(one.metric in described, "`derived` doesn't say what it means")


def _results(suite: Suite, tasks: Sequence[Task], limit: int) -> Results:
    done = {(suite.name, task.name): scored(task, None, limit) for task in tasks}
    kinds = {request.kind for all_asked in done.values() for one in all_asked for request in one.requests}
    windows = [
        Window(
            phase=phase, duration_s=2.0, energy_joules=20.0, basis="estimated", source="made up", request_count=count,
            token_count=10 * count,
        )
        for phase, count in ((IDLE, 0), ("load", 0), *((f"{suite.name}/{kind}", 4) for kind in sorted(kinds)))
    ]  # fmt: skip
    return Results(
        scores={key: [score for one in all_asked for score in one.scores] for key, all_asked in done.items()},
        estimates=(),
        windows=windows,
        signature="s",
        request_counts={key: sum(len(one.requests) for one in all_asked) for key, all_asked in done.items()},
    )
