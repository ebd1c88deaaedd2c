"""HumanEval: which program an answer stands for, and whether the sandbox says of it what plain Python does."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.core import registry
from harness.core.requests import Response
from harness.core.tasks import Sample, TaskSettings
from harness.data import fetch
from harness.sandbox import find_sandbox
from suites.code.human_eval import HumanEval
from suites.code.programs import completion, program_in
from tests.corpus.conftest import IS_FRESH

BEGINNING = 'import math\n\n\ndef area(r):\n    """Of a circle."""\n'
BODY = "    return math.pi * r**2\n"
WHOLE = "def area(r):\n    return math.pi * r**2\n"


@pytest.fixture(scope="module")
def rows():
    return fetch("human_eval").rows


@pytest.fixture(scope="module")
def samples(rows) -> dict[str, Sample]:
    found = HumanEval().samples(rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    return {sample.id: sample for sample in found}


@pytest.fixture
def sandbox() -> str:
    name, reasons = find_sandbox()
    if name is None:
        pytest.skip(f"no sandbox can be had here: {'; '.join(reasons)}")
    return name


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"```python\n{WHOLE}```", "fenced function"),
        (f"Sure:\n\n```py\n{WHOLE}```\nIt is called like this:\n```python\nprint(area(2))\n```", "fenced function"),
        (f"```\ndef area(r):\n    return 0\n```\nBetter:\n```\n{WHOLE}```", "fenced function"),
        ("1. Like this:\n   ```python\n   def area(r):\n       return math.pi * r**2\n   ```", "fenced function"),
        ("```python\narea = lambda r: math.pi * r**2\n```", "fenced function"),
        (f"```python\n{WHOLE}", "fenced function"),
        (f"~~~python\n{WHOLE}~~~\nThat is all.", "fenced function"),
        (f"Here it is: ```area```\n```python\r\n{WHOLE}```".replace("\r", ""), "fenced function"),
        (f"```python\n{BODY}```", "fenced body"),
        ("```python\nreturn math.pi * r**2\n```", "fenced body"),
        (WHOLE, "function"),
        (f"import math\n\n{WHOLE}", "function"),
        (BODY, "completion"),
    ],
)
def test_the_program_in_an_answer_is_found_and_right(text: str, rule: str) -> None:
    found = program_in(BEGINNING, "area", text)
    assert found is not None
    assert found.by == rule
    ended = subprocess.run(
        [sys.executable, "-c", f"{found.answer}\nassert area(2) == math.pi * 4"], capture_output=True, check=False
    )
    assert ended.returncode == 0, found.answer


@pytest.mark.parametrize("text", ["", "I can't do that.", "```python\n```", "The area is r squared times pi."])
def test_an_answer_without_code_has_no_program(text: str) -> None:
    assert program_in(BEGINNING, "area", text) is None


def test_what_a_base_model_writes_goes_on_from_the_beginning() -> None:
    """As lm-eval's filter `create_test` has it."""
    assert completion(BEGINNING, BODY).answer == BEGINNING + BODY
    assert completion(BEGINNING, "").answer == BEGINNING


def test_a_chat_is_asked_for_the_function_and_nothing_stops_it_early(rows) -> None:
    task = HumanEval()
    chat = HumanEval()
    chat.in_chat, chat.until = True, ()
    settings = TaskSettings(limit=1, num_fewshot=0, seed=0)
    (plain,), (asked,) = task.samples(rows, settings), chat.samples(rows, settings)
    assert plain.prompt == plain.fields["beginning"]
    assert asked.prompt.endswith("```")
    assert plain.prompt.strip() in asked.prompt
    assert task.requests(plain)[0].until
    assert not chat.requests(asked)[0].until


def answered(sample: Sample, body: str, task: HumanEval | None = None):
    scores = (task or HumanEval()).score(sample, [Response(request_id="", text=body, stop="end", token_count=9)])
    return {score.metric: score for score in scores}


def canonical(sample: Sample) -> str:
    return str(sample.gold).removeprefix(sample.fields["beginning"])


@pytest.mark.parametrize("problem", ["HumanEval/0", "HumanEval/32", "HumanEval/33", "HumanEval/38", "HumanEval/50"])
def test_right_programs_pass_and_wrong_ones_say_why(problem, samples, sandbox) -> None:
    """Among them those whose tests use what stands in the question: poly, encode_cyclic, encode_shift, sort_third."""
    sample = samples[problem]
    assert answered(sample, canonical(sample))["accuracy_all"].value == 1
    wrong = answered(sample, "    return None\n")["accuracy_all"]
    assert wrong.value == 0
    assert "wrong (completion; failed: " in str(wrong.remark)


def test_a_program_that_ends_early_is_wrong(samples, sandbox) -> None:
    found = answered(samples["HumanEval/1"], "    import os; os._exit(0)\n")["accuracy_all"]
    assert found.value == 0
    assert "its process ended before it answered" in str(found.remark)


def test_in_a_chat_a_fenced_function_passes(samples, sandbox) -> None:
    task = HumanEval()
    task.in_chat = True
    sample = samples["HumanEval/2"]
    text = f"Here:\n```python\n{sample.gold}\n```\nIt cuts off the whole part."
    assert answered(sample, text, task)["accuracy_all"].value == 1
    assert answered(sample, "I would rather not.", task)["unparsed"].value == 1


def test_plain_python_says_the_same(samples, sandbox) -> None:
    """Right programs with one sign changed, by the publisher's own way: all of it run in one interpreter."""
    changes = (("<", ">"), ("+ 1", "+ 2"), ("==", "!="), ("True", "False"), ("[]", "[0]"))
    changed = [
        (sample, canonical(sample).replace(old, new))
        for sample in list(samples.values())[:40:3]
        for old, new in changes
        if old in canonical(sample)
    ]
    assert len(changed) > 12
    with ThreadPoolExecutor(2) as pool:
        ours = list(pool.map(lambda one: bool(answered(*one)["accuracy_all"].value), changed))
        plain = list(pool.map(_plainly, changed))
    assert ours == plain
    assert not all(plain)


def _plainly(one: tuple[Sample, str]) -> bool:
    sample, body = one
    program = f"{sample.fields['beginning']}{body}\n{sample.fields['test']}\ncheck({sample.fields['entry_point']})"
    try:
        return not subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=False, timeout=5
        ).returncode
    except subprocess.TimeoutExpired:
        return False


@pytest.mark.slow
def test_canonical_solutions_pass(samples, sandbox) -> None:
    """Of every sixth problem; of all 164 with `make corpus`."""
    assert len(samples) == 164
    asked = list(samples.values())[:: 1 if IS_FRESH else 6]
    with ThreadPoolExecutor(2) as pool:
        passed = list(pool.map(lambda one: answered(one, canonical(one))["accuracy_all"].value, asked))
    assert sum(passed) == len(asked)


def test_it_is_registered_as_what_executes_code() -> None:
    assert registry.task("human_eval").executes_code
    assert not registry.task("piqa").executes_code
