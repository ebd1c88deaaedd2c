"""IFBench's prompts: which are asked, and what becomes of answers that follow, that don't, and that were cut."""

import pytest

from harness.core.errors import DataError
from harness.core.requests import Response
from harness.core.tasks import Sample, TaskSettings
from harness.data import fetch
from harness.tasks.sampling import Sampling
from suites.instructions.ifbench import IFBench
from suites.instructions.verifiers import VERIFIERS

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)


@pytest.fixture(scope="module")
def rows():
    return fetch("ifbench").rows


@pytest.fixture(scope="module")
def samples(rows) -> dict[str, Sample]:
    return {sample.id: sample for sample in IFBench().samples(rows, ALL)}


def scored(sample: Sample, *texts: str, cut: bool = False, task: IFBench | None = None):
    answers = [
        Response(request_id="", text=text, stop="length" if cut else "end", token_count=len(text.split()))
        for text in texts
    ]
    return (task or IFBench()).score(sample, answers)


def values(scores) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for score in scores:
        found.setdefault(score.metric, []).append(score.value)
    return found


def test_left_out_are_the_prompts_that_nothing_here_can_check(rows, samples) -> None:
    unchecked = {index for index, row in enumerate(rows) if not set(row["instruction_id_list"]) <= set(VERIFIERS)}
    assert set(IFBench.excluded) == unchecked | {268}
    assert len(samples) == 294 - 28


def test_an_answer_that_follows_is_right_and_one_with_an_introduction_loosely(rows, samples) -> None:
    (key,) = (row["key"] for row in rows if row["instruction_id_list"] == ["custom:multiples"])
    right = scored(samples[key], "14, 21, 28, 35, 42, 49")
    assert values(right)["accuracy_all"] == values(right)["instruction_level_strict"] == [1]
    assert next(score.remark for score in right) == "right (custom:multiples followed)"
    introduced = scored(samples[key], "Here are 6:\n14, 21, 28, 35, 42, 49")
    assert values(introduced)["accuracy_all"] == values(introduced)["instruction_level_strict"] == [0]
    assert values(introduced)["prompt_level_loose"] == values(introduced)["instruction_level_loose"] == [1]
    assert next(score.remark for score in introduced) == "wrong (custom:multiples loosely followed)"


def test_each_instruction_of_a_prompt_counts_by_its_kind(rows, samples) -> None:
    kinds = ["format:no_whitespace", "words:consonants"]
    sample = next(one for one in samples.values() if len(one.fields["instructions"]) == 2)
    sample = Sample(id="x", prompt="", fields={"instructions": [(kind, {}) for kind in kinds]})
    found = scored(sample, "nothing such here")
    assert values(found)["accuracy_all"] == [0]
    strict = {score.groups["instruction"]: score for score in found if score.metric == "instruction_level_strict"}
    assert {kind: score.value for kind, score in strict.items()} == {kinds[0]: 0, kinds[1]: 0}
    assert {score.cluster for score in strict.values()} == {"x"}
    assert values(scored(sample, "strict"))["instruction_level_strict"] == [1, 1]
    assert values(scored(sample, "such black"))["instruction_level_strict"] == [0, 1]


def test_a_cut_answer_is_censored(samples) -> None:
    found = values(scored(next(iter(samples.values())), "yes", cut=True))
    assert found["cut"] == found["accuracy_upper_bound"] == [1]
    assert found["accuracy_all"] == found["prompt_level_loose"] == [0]
    assert "accuracy_finished" not in found
    assert "unparsed" not in found


def test_of_several_draws_the_shares_are_means() -> None:
    task = IFBench()
    task.use_sampling(Sampling(samples=4, temperature=1.0))
    sample = Sample(id="x", prompt="", fields={"instructions": [("format:no_whitespace", {})]})
    found = values(scored(sample, "a", "b c", "d", "", task=task))
    assert found["accuracy_all"] == found["instruction_level_strict"] == [0.5]
    assert found["pass_at_k"] == pytest.approx([1 / 2, 5 / 6, 1, 1])


def test_an_instruction_that_nothing_checks_is_refused(rows) -> None:
    row = {**rows[0], "instruction_id_list": ["count:stars"]}
    with pytest.raises(DataError, match="count:stars"):
        IFBench().samples([row], ALL)
