"""The suite `robustness` on real rows."""

import pytest

from harness.core import registry
from harness.core.requests import Loglikelihood
from harness.core.tasks import TaskSettings
from harness.data import find, load_data

pytestmark = pytest.mark.slow


def test_questions_of_piqa_are_asked_behind_the_same_exemplars_and_only_their_goals_are_disturbed() -> None:
    task = registry.task("robustness_piqa")
    settings = TaskSettings(limit=20, num_fewshot=task.default_num_fewshot, seed=0)
    samples = task.samples(load_data(find("piqa")).rows, settings)
    asked = [request for sample in samples for request in task.requests(sample)]
    exemplars = samples[0].prompt[: samples[0].question_start]
    assert exemplars.count("Question: ") == exemplars.count("\nAnswer: ") == 3
    assert all(isinstance(one, Loglikelihood) and one.context.startswith(exemplars) for one in asked)
    for sample in samples:
        continuations = {one.continuation for one in task.requests(sample) if isinstance(one, Loglikelihood)}
        assert continuations == {f" {choice}" for choice in sample.choices}
        assert len(task.requests(sample)) == 2 * 11
