"""MMLU by subject, against lm-evaluation-harness's own task files, and its fields of use, against costs by hand."""

import json
from importlib.resources import files
from pathlib import Path
from random import Random

import numpy as np
import pytest
import yaml
from lm_eval.api.task import ConfigurableTask

from harness.core import registry
from harness.core.datasets import Row
from harness.core.errors import DataError, TaskError
from harness.core.requests import Response
from harness.core.tasks import TaskSettings
from suites.accuracy.mmlu_subjects import MMLUSubjects
from suites.accuracy.subjects import CATEGORIES, DOMAINS, category_of
from suites.domains.costs import STAKES
from suites.domains.patients import DiversityMedQA

SUBJECT = "virology"


def rows_of(*subjects: str, count: int = 12) -> list[Row]:
    """Exemplars and questions of subjects, with spaces where the published rows have some."""
    return [
        {
            "subject": subject,
            "split": split,
            "question": f" What is {subject} {split} {number}? \n",
            "options": [f"{subject} {number}", " two", "three", f"{split} four"],
            "answer": number % 4,
        }
        for subject in subjects
        for split, size in (("dev", 5), ("test", count))
        for number in range(size)
    ]


def settings(limit: int | None = None, shots: int = 5, *, multiturn: bool = False) -> TaskSettings:
    return TaskSettings(limit=limit, num_fewshot=shots, seed=0, multiturn=multiturn)


@pytest.mark.parametrize("shots", [0, 5])
def test_a_subject_is_asked_word_for_word_as_lm_eval_asks_it(tmp_path: Path, shots: int) -> None:
    rows = rows_of(SUBJECT)
    for split in ("dev", "test"):
        told = [
            {"question": row["question"], "choices": row["options"], "answer": row["answer"]}
            for row in rows
            if row["split"] == split
        ]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
    theirs = files("lm_eval") / "tasks/mmlu/default"
    config = {
        **yaml.safe_load((theirs / "_default_template_yaml").read_text()),
        **yaml.safe_load((theirs / f"mmlu_{SUBJECT}.yaml").read_text()),
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: str(tmp_path / f"{split}.jsonl") for split in ("dev", "test")}},
        "num_fewshot": shots,
    }
    config.pop("include")
    task = ConfigurableTask(config=config)
    task.build_all_requests(rank=0, world_size=1)
    expected = [instance.args[:2] for instance in task.instances]
    mine = MMLUSubjects()
    asked = [request for sample in mine.samples(rows, settings(shots=shots)) for request in mine.requests(sample)]
    assert [(one.context, one.continuation) for one in asked] == expected
    assert len(expected) == 4 * 12


def test_each_subject_has_one_category_and_as_many_questions_and_more_contain_fewer() -> None:
    subjects = MMLUSubjects.subjects
    assert len(subjects) == len(set(subjects)) == 57
    assert {name: len(of) for name, of in CATEGORIES.items()} == {
        "humanities": 13,
        "social sciences": 12,
        "stem": 19,
        "other": 13,
    }
    assert all(category_of(subject) in CATEGORIES for of in DOMAINS.values() for subject in of)
    task, rows = MMLUSubjects(), rows_of("virology", "anatomy", "philosophy")
    few, many = (task.samples(rows, settings(limit)) for limit in (6, 15))
    assert {one.id for one in few} < {one.id for one in many}
    assert [sum(one.fields["groups"]["subject"] == name for one in many) for name in ("virology", "anatomy")] == [5, 5]
    assert {one.fields["groups"]["domain"] for one in many} == {"medical", "other"}


def test_turns_of_a_chat_begin_with_the_subject_and_six_exemplars_are_one_too_many() -> None:
    task, rows = MMLUSubjects(), rows_of(SUBJECT)
    sample = task.samples(rows, settings(2, 3, multiturn=True))[0]
    assert len(sample.exemplars) == 3
    assert sample.exemplars[0][0].startswith(
        f"The following are multiple choice questions (with answers) about {SUBJECT}."
    )
    assert not sample.prompt.startswith("The following")
    with pytest.raises(TaskError, match="the publisher has 5"):
        task.samples(rows, settings(2, 6))


def test_views_ask_nothing_that_the_whole_does_not() -> None:
    rows = rows_of(*MMLUSubjects.subjects, count=3)
    whole = MMLUSubjects()
    asked = {one.id for sample in whole.samples(rows, settings(57)) for one in whole.requests(sample)}
    for name in DOMAINS:
        view = registry.task(name)
        samples = view.samples(rows, settings(len(DOMAINS[name])))
        assert len(samples) == len(DOMAINS[name])
        assert {one.id for sample in samples for one in view.requests(sample)} <= asked


def test_the_costs_of_sure_mistakes_are_those_counted_by_hand() -> None:
    view, rows = registry.task("legal"), rows_of(*DOMAINS["legal"], count=20)
    rng, scores, answers = Random(0), [], []
    for sample in view.samples(rows, settings(shots=0)):
        confidence = rng.choice([0.4, 0.79, 0.85, 0.95])
        chosen = rng.randrange(4)
        likelihoods = np.log([confidence if place == chosen else (1 - confidence) / 3 for place in range(4)]) - 7
        requests = view.requests(sample)
        scores += view.score(
            sample,
            [
                Response(request_id=one.id, loglikelihood=float(value))
                for one, value in zip(requests, likelihoods, strict=True)
            ],
        )
        answers.append((confidence, chosen != sample.gold))
    found = {
        metric.name: metric.reduce([one for one in scores if one.metric == metric.name], Random(0)).value
        for metric in view.metrics
    }
    for threshold, price in ((0.8, 0.2), (0.9, 0.1)):
        name = f"{threshold * 100:.0f}"
        sure = [wrong for confidence, wrong in answers if confidence >= threshold]
        assert found[f"confident_errors_{name}"] == pytest.approx(np.mean(sure))
        costs = [float(wrong) if confidence >= threshold else price for confidence, wrong in answers]
        assert found[f"cost_of_acting_{name}"] == pytest.approx(np.mean(costs))
    assert found["acc"] == pytest.approx(1 - np.mean([wrong for _, wrong in answers]))


def test_a_model_that_is_never_sure_has_no_share_of_sure_mistakes_and_the_cost_of_asking_people() -> None:
    for stakes in STAKES:
        assert stakes.values(0.5, 1.0) == {stakes.errors.name: None, stakes.cost.name: stakes.handing_over}


def test_patients_are_asked_about_in_both_genders_and_changes_are_counted_by_pair() -> None:
    task = DiversityMedQA()
    options = repr(["one", "two's", "three", "four", "five"])
    rows = [
        {
            "male_sentence": f"A man, {number}.",
            "female_sentence": f"A woman, {number}.",
            "options": options,
            "correct_option": str(number % 5),
        }
        for number in range(30)
    ]
    samples = task.samples(rows, settings(24, 0))
    assert [one.id.split("-")[1] for one in samples] == ["male", "female"] * 12
    assert samples[0].prompt.endswith("\nA. one\nB. two's\nC. three\nD. four\nE. five\nAnswer:")
    scores = []
    for place, sample in enumerate(samples):
        # In the first four pairs the woman gets another answer.
        chosen = 1 if place < 8 and sample.fields["groups"]["gender"] == "female" else 0
        scores += task.score(
            sample,
            [
                Response(request_id=one.id, loglikelihood=-1.0 if letter == chosen else -3.0)
                for letter, one in enumerate(task.requests(sample))
            ],
        )
    changed = [one for one in scores if one.metric == "changed_by_gender"]
    assert task.metrics[1].reduce(changed, Random(0)).value == pytest.approx(4 / 12)
    with pytest.raises(DataError, match="needs 5 options"):
        task.samples([{**rows[0], "options": "['one']"}], settings(2, 0))
