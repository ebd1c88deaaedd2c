"""Calls in what models write, and whether they are those that were wanted.

`graded.json` holds made-up functions and answers with the verdicts of the checker and decoder of bfcl-eval 2026.3.23.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from suites.tools.calls import MOST_CHARACTERS, Call, Calls, calls_in
from suites.tools.checking import fault_of

GRADED = json.loads((Path(__file__).parent / "graded.json").read_text("utf-8"))
CITY = {"name": "weather.get", "arguments": {"city": "Oslo", "days": 2}}
OBJECT = json.dumps(CITY)
AS_PARAMETERS = OBJECT.replace("arguments", "parameters")


@pytest.mark.parametrize("number", range(len(GRADED["cases"])))
def test_verdicts_are_the_publishers(number: int) -> None:
    case = GRADED["cases"][number]
    answers = [one for one in GRADED["answers"] if one["case"] == number]
    assert {one["valid"] for one in answers} == {True, False}
    for one in answers:
        found = calls_in(one["text"])
        valid = found is not None and fault_of(case["functions"], case["wanted"], found.calls) is None
        assert valid == one["valid"], one["text"]


def test_the_graded_answers_are_many() -> None:
    assert len(GRADED["answers"]) == 260
    assert sum(one["valid"] for one in GRADED["answers"]) > 40


@pytest.mark.parametrize(
    ("text", "by"),
    [
        (f"<tool_call>\n{OBJECT}\n</tool_call>", "tool_call tags"),
        (f"I look it up.\n<tool_call>{OBJECT}</tool_call><|im_end|>", "tool_call tags"),
        (f"<tool_call>{OBJECT}", "tool_call tags"),
        (f"[TOOL_CALLS] [{OBJECT}]</s>", "[TOOL_CALLS]"),
        ('[TOOL_CALLS]weather.get[ARGS]{"city": "Oslo", "days": 2}', "[TOOL_CALLS]"),
        (AS_PARAMETERS, "JSON"),
        (f"<|python_tag|>{AS_PARAMETERS}<|eom_id|>", "JSON"),
        (f"```json\n[{OBJECT}]\n```", "JSON"),
        (json.dumps([{"type": "function", "function": CITY}]), "JSON"),
        (json.dumps({"function": {**CITY, "arguments": json.dumps(CITY["arguments"])}}), "JSON"),
        ("[weather.get(city='Oslo', days=2)]", "Python"),
        ("weather.get(city='Oslo', days=1 + 1)", "Python"),
        ("Here it is:\n```python\nweather.get(city='Oslo', days=2)\n```", "Python"),
    ],
)
def test_a_call_is_read_in_the_formats_that_models_write(text: str, by: str) -> None:
    found = calls_in(text)
    assert found is not None
    assert found.by == by
    assert json.loads(found.text) == [CITY]


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>{OBJECT}</tool_call><tool_call>{OBJECT}</tool_call>",
        f"[TOOL_CALLS][{OBJECT}, {OBJECT}]",
        f"{AS_PARAMETERS}; {AS_PARAMETERS}",
        f"{OBJECT}\n{OBJECT}",
        "[weather.get(city='Oslo', days=2), weather.get(days=2, city='Oslo')]",
    ],
)
def test_several_calls_are_read(text: str) -> None:
    found = calls_in(text)
    assert found is not None
    assert json.loads(found.text) == [CITY, CITY]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I can't do that.",
        "None of them fits (sorry).",
        "weather.get",
        "[]",
        "{}",
        '{"city": "Oslo"}',
        f"<tool_call>{OBJECT}</tool_call><tool_call>nothing</tool_call>",
        f"<tool_call>{OBJECT[:-5]}</tool_call>",
        '{"name": "f", "arguments": [1]}',
        "f(a=1",
        "x = f(a=1)",
        "(lambda: 1)()" + " " * MOST_CHARACTERS,
    ],
)
def test_what_makes_no_call_makes_none(text: str) -> None:
    assert calls_in(text) is None


def test_nothing_is_evaluated(tmp_path: Path) -> None:
    made = tmp_path / "made"
    found = calls_in(f"[f(a=open({str(made)!r}, 'w'), b=__import__('os').getpid(), c=9**9**9**9)]")
    assert found is not None
    assert all(isinstance(value, str) for value in found.calls[0].arguments.values())
    assert not made.exists()


def test_hostile_texts_end_without_a_call_and_harm_nothing() -> None:
    """In a process of its own, which would crash in place of this one."""
    code = (
        "from suites.tools.calls import calls_in\n"
        "for text in ('f(a=' + '-' * 9000 + '1)', 'f' + '.a' * 9000 + '()', 'f(a=' + '1+' * 9000 + '1)', "
        "'f(a=' + '[' * 9000, '[' * 9000 + '{', 'f(a=' + 'not ' * 4000 + '1)', 'f(a=' + '9' * 9000 + ')', "
        "'f' + '()' * 9000, 'f(a=1/0)', 'f(a=1e308*1e308)', 'f(a=\"\\ud800\")', 'f(a=\\0)'):\n"
        "    calls_in(text)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("<tool_call>\n<function=f>\n<parameter=a>\n3\n</parameter>\n</function>\n</tool_call>", "function tags"),
        ('<function=f>{"a": 3}</function>', "function tags"),
        ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>3</arg_value>\n</tool_call>", "tool_call tags"),
        (
            "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function"
            '<\uff5ctool\u2581sep\uff5c>f\n```json\n{"a": 3}\n```<\uff5ctool\u2581call\u2581end\uff5c>',
            "DeepSeek's marks",
        ),
        ("Calls: [f(a=3)]", "Python"),
        ("`f(a=3)`", "Python"),
    ],
)
def test_formats_of_other_models_are_read(text: str, by: str) -> None:
    assert calls_in(text) == Calls((Call("f", {"a": 3}),), by)


def test_several_lines_and_blocks_are_several_calls() -> None:
    both = Calls((Call("f", {"a": 3}), Call("f", {"a": 4})), "Python")
    assert calls_in("f(a=3)\nf(a=4)") == both
    assert calls_in("```python\nf(a=3)\n```\nand\n```python\nf(a=4)\n```") == both
    assert calls_in("x = 1\nf(a=3)") is None


@pytest.mark.parametrize("text", ["f(a={1: 2, 'x': 3})", "f(a={(1, 2): 3})"])
def test_calls_with_any_keys_can_be_shown(text: str) -> None:
    found = calls_in(text)
    assert found is not None
    assert found.text.startswith('[{"arguments"')


@pytest.mark.parametrize("number", ["0x" + "f" * 4000, "*".join(["9" * 1200] * 2)])
def test_numbers_that_nobody_can_print_are_no_arguments(number: str) -> None:
    assert calls_in(f"f(a={number})") is None
