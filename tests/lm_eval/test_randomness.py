"""What a task's templates draw is the same in every run, and changes nothing for others."""

import random
from pathlib import Path

import numpy as np
import pytest

from harness.core.tasks import TaskSettings
from harness.lm_eval.tasks import load_tasks
from harness.tasks.options import TaskOptions
from tests.lm_eval.lm_eval_tasks import TASKS, over, write_task, write_tasks

DRAWS = {**TASKS["tiny_choice"], "doc_to_text": "{{range(99999)|random}} {{text}}"}


@pytest.fixture
def options(tmp_path: Path) -> TaskOptions:
    place = write_tasks(tmp_path)
    for name in ("first", "second"):
        write_task(place, {"task": name, **DRAWS, **over(place / "rows.jsonl")})
    (place / "both.yaml").write_text("group: both\ntask: [first, second]\n")
    return TaskOptions(include_path=place, offline=True)


def drawn(name: str, options: TaskOptions) -> dict[str, list[str]]:
    settings = TaskSettings(limit=3, num_fewshot=0, seed=7)
    return {one.name: [str(sample.prompt) for sample in one.samples((), settings)] for one in load_tasks(name, options)}


def test_a_task_draws_the_same_whatever_ran_before_and_beside_it(options: TaskOptions) -> None:
    random.seed(1)
    alone = drawn("second", options)
    random.seed(2)
    assert drawn("both", options)["lm-eval:second"] == alone["lm-eval:second"]
    assert len(set(alone["lm-eval:second"])) == 3


def test_what_others_draw_is_not_changed(options: TaskOptions) -> None:
    random.seed(3)
    np.random.seed(3)
    expected = random.Random(3).random(), np.random.RandomState(3).rand()
    drawn("second", options)
    assert (random.random(), np.random.rand()) == expected
