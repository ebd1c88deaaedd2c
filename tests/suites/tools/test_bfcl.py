"""BFCL's requests: how they are asked with and without a template's own format, and what becomes of answers."""

import json

import pytest

from harness.core.errors import DataError
from harness.core.requests import Response
from harness.core.tasks import Sample, TaskSettings
from harness.data import fetch
from suites.tools.bfcl import BFCLIrrelevance, BFCLMultiple, BFCLParallel, BFCLSimple

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)
TASKS = {"simple": BFCLSimple, "multiple": BFCLMultiple, "parallel": BFCLParallel, "irrelevance": BFCLIrrelevance}


@pytest.fixture(scope="module")
def rows():
    return fetch("bfcl").rows


@pytest.fixture(scope="module")
def samples(rows) -> dict[str, Sample]:
    return {sample.id: sample for task in TASKS.values() for sample in task().samples(rows, ALL)}


def scored(sample: Sample, text: str, *, stop: str = "end"):
    task = TASKS[sample.id.rpartition("_")[0].removesuffix("_python")]()
    answer = Response(request_id="", text=text, stop=stop, token_count=9)  # type: ignore[arg-type]
    return {score.metric: score for score in task.score(sample, [answer]) if "budget" not in score.groups}


def gold(sample: Sample) -> str:
    """The first of the values that are right, for all that can't be left out or that the description requires."""
    calls = []
    required = {(one["name"], key) for one in sample.fields["functions"] for key in one["parameters"]["required"]}
    for wanted in sample.fields["wanted"]:
        ((name, allowed),) = wanted.items()
        needed = {key: values for key, values in allowed.items() if "" not in values or (name, key) in required}
        arguments = {key: plain(next(one for one in values if one != "")) for key, values in needed.items()}
        calls.append({"name": name, "arguments": arguments})
    return "".join(f"<tool_call>{json.dumps(call)}</tool_call>" for call in calls)


def plain(value):
    if isinstance(value, list):
        return [plain(one) for one in value]
    return {key: plain(ones[0]) for key, ones in value.items() if "" not in ones} if isinstance(value, dict) else value


def test_all_requests_are_there_and_their_answers_are_right(samples) -> None:
    assert len(samples) == 400 + 200 + 200 + 240
    wrong = [
        name
        for name, sample in samples.items()
        if not name.startswith("irrelevance") and scored(sample, gold(sample))["accuracy_all"].value != 1
    ]
    assert wrong == []


def test_an_answer_says_why_it_is_wrong(samples) -> None:
    sample = samples["simple_python_0"]
    right = scored(sample, "[calculate_triangle_area(base=10, height=5)]")
    assert right["accuracy_all"].remark == "right (Python)"
    assert right["hallucinated_functions"].value == 0
    wrong = scored(sample, "[calculate_triangle_area(base=10)]")
    assert wrong["accuracy_all"].remark == "wrong (Python); height is missing"
    made_up = scored(sample, "[triangle(base=10, height=5)]")
    assert made_up["accuracy_all"].value == 0
    assert made_up["hallucinated_functions"].value == 1
    said = scored(sample, "It is 25.")
    assert said["unparsed"].value == 1
    assert said["hallucinated_functions"].value == 0
    assert scored(sample, "[calc", stop="length")["cut"].value == 1


def test_who_calls_nothing_where_nothing_fits_is_right(samples) -> None:
    sample = samples["irrelevance_0"]
    assert scored(sample, "None of these can do that.")["accuracy_all"].remark == "right (no call)"
    assert scored(sample, "[determine_body_mass_index(weight=1, height=2)]")["accuracy_all"].value == 0
    cut = scored(sample, "I would", stop="length")
    assert (cut["accuracy_all"].value, cut["accuracy_upper_bound"].value) == (0, 1)


def test_functions_are_described_in_the_prompt_and_given_to_templates(samples) -> None:
    (request,) = BFCLSimple().requests(samples["simple_python_0"])
    assert request.tools is not None
    assert "calculate_triangle_area" in request.context
    assert request.tools.question == "Find the area of a triangle with a base of 10 units and height of 5 units."
    (function,) = json.loads(request.tools.functions)
    assert function["type"] == "function"
    assert function["function"]["parameters"]["type"] == "object"


def test_a_row_without_an_answer_or_of_several_turns_is_refused(rows) -> None:
    asked = next(row for row in rows if row["class"] == "simple")
    with pytest.raises(DataError, match="no answer of its publisher's"):
        BFCLSimple().samples([asked], ALL)
    answer = {"class": "simple_answers", "id": asked["id"], "ground_truth": [{"f": {}}]}
    with pytest.raises(DataError, match="single turn"):
        BFCLSimple().samples([{**asked, "question": asked["question"] * 2}, answer], ALL)
