"""The suite `calibration` asks what the suite `accuracy` asks, and nothing else."""

import pytest

from harness.core import registry
from harness.run.work import phases, prepare
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions

TASKS = registry.suite("calibration").tasks


@pytest.mark.parametrize("name", TASKS)
def test_the_docstring_says_what_it_measures_why_and_its_limits(name):
    text = type(registry.task(name)).__doc__ or ""
    assert all(f"\n    {part}. " in text for part in ("What it measures", "Why it matters", "Limits"))


@pytest.mark.parametrize("name", TASKS)
def test_a_task_goes_by_its_name_and_has_the_size_of_the_task_that_it_judges(name):
    task, judged = registry.task(name), registry.task(name.removeprefix("calibration_"))
    assert task.name == name
    assert task.default_limit == judged.default_limit
    assert task.default_num_fewshot == judged.default_num_fewshot
    assert task.asks == judged.asks


@pytest.mark.slow
def test_a_run_of_both_suites_asks_no_more_than_accuracy_alone():
    def asked(*suites):
        chosen = select(suites, [], limit=20, num_fewshot=None, seed=0, options=TaskOptions())
        return phases(prepare(chosen.planned, offline=False))

    alone, both = asked("accuracy"), asked("accuracy", "calibration")
    assert both == alone
    assert len(alone) == 3
