"""Calls of functions in what a model wrote, in the formats that models are trained on; nothing is ever evaluated."""

import ast
import json
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.tasks.extraction import fenced

__all__ = ["MARKS", "Call", "Calls", "calls_in"]

MOST_CHARACTERS = 20_000
MOST_LEVELS = 50
"""Beyond these a text is no call that anybody asked for, and costs Python's parser too much."""
_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|(?=<tool_call>)|\Z)", re.DOTALL)
_FUNCTION = re.compile(r"<function=([\w.-]+)>(.*?)(?:</function>|(?=<function=)|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_DEEPSEEK = "<\uff5ctool\u2581call\u2581begin\uff5c>"
_SEPARATED = re.compile(
    r"(?:function)?<\uff5ctool\u2581sep\uff5c>([\w.-]+)\s*```json\s*(.*?)```|"
    r"([\w.-]+)<\uff5ctool\u2581sep\uff5c>(.*?)<\uff5ctool\u2581call\u2581end\uff5c>",
    re.DOTALL,
)
_ECHO = re.compile(r"\A(?:calls?|answer)\s*[:：]\s*", re.IGNORECASE)
MARKS = ("<tool_call>", "[TOOL_CALLS]", "<function=", _DEEPSEEK, "<arg_key>")
"""What a text holds that means to call, also where the call can't be read."""
_MOST_BITS = 1 << 12
"""Of a whole number: a larger one is none that anybody asked for, and can't be printed."""
_MISTRAL = "[TOOL_CALLS]"
_NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w*)?\[ARGS\]")
_PYTHON_TAGS = ("<|python_tag|>", "<|python_start|>")
_ENDS = re.compile(r"<\|(?:eom_id|eot_id|python_end|im_end|end_of_text)\|>|</s>")
_NAMES = ("name", "function", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args")
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
    ast.Div: lambda one, other: one / other,
}


@dataclass(frozen=True, slots=True)
class Call:
    """A function's name, and the values of its arguments by their names, as JSON or Python has them."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """One call or several, and the format that they were written in."""

    calls: tuple[Call, ...]
    by: str

    @property
    def text(self) -> str:
        """As JSON, for people to read and for votes."""
        shown = [{"name": call.name, "arguments": call.arguments} for call in self.calls]
        return json.dumps(shown, ensure_ascii=False, sort_keys=True, default=str)


@lru_cache(maxsize=256)
def calls_in(text: str) -> Calls | None:
    """The calls that a text makes; None where it makes none, or one of several can't be read.

    Formats are tried in this order: `<function=NAME>` with parameters in tags or in JSON (Qwen3-Coder, Llama 3.1),
    `<tool_call>` with JSON (Hermes, Qwen) or with keys and values in tags (GLM), `[TOOL_CALLS]` (Mistral), DeepSeek's
    marks, JSON with `name` and `arguments` or `parameters` (Llama 3), and Python: a call, a list of calls, or a call a
    line. JSON and Python have to be all of the text or all of its blocks of code; around tags there may be words.
    """
    if len(text) > MOST_CHARACTERS:
        return None
    text = _ENDS.sub("", text).strip()
    if "<function=" in text:
        return _found([_tagged(name, body) for name, body in _FUNCTION.findall(text)], "function tags")
    if "<tool_call>" in text:
        return _found(
            [_json(part) or _pairs(part) or _python(part) for part in _TAGGED.findall(text)], "tool_call tags"
        )
    if _MISTRAL in text:
        return _found([_mistral(part) for part in text.split(_MISTRAL)[1:]], "[TOOL_CALLS]")
    if _DEEPSEEK in text:
        return _found([_separated(part) for part in text.split(_DEEPSEEK)[1:]], "DeepSeek's marks")
    for tag in _PYTHON_TAGS:
        text = text.rpartition(tag)[2].strip()
    text = _ECHO.sub("", text)
    return next((found for one in ([text], fenced(text)) if (found := _plain_calls(one))), None)


def _plain_calls(sources: Sequence[str]) -> Calls | None:
    return _found([_json(one) for one in sources], "JSON") or _found([_python(one) for one in sources], "Python")


def _found(parts: Sequence[tuple[Call, ...] | None], by: str) -> Calls | None:
    calls = tuple(call for part in parts if part for call in part)
    return Calls(calls, by) if calls and all(parts) else None


def _json(text: str) -> tuple[Call, ...] | None:
    """One object, a list of them, or several behind each other, with or without a semicolon or a comma between."""
    decoder, values, place = json.JSONDecoder(), [], 0
    text = text.strip()
    if not text or text[0] not in "{[" or _depth(text) > MOST_LEVELS:
        return None
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return None
        values += value if isinstance(value, list) else [value]
        place += len(text[place:]) - len(text[place:].lstrip(" \t\r\n;,"))
    calls = [_of_object(value) for value in values]
    return tuple(call for call in calls if call) if calls and all(calls) else None


def _of_object(value: Any) -> Call | None:
    """With the name and the arguments under one of the names that are in use, or within `function`, as OpenAI does."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("function"), dict):
        return _of_object(value["function"])
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    arguments: Any = next((value[key] for key in _ARGUMENTS if key in value), {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return Call(name, arguments) if name and isinstance(arguments, dict) else None


def _tagged(name: str, body: str) -> tuple[Call, ...] | None:
    """Arguments as JSON, or each in a tag of its own, where what isn't JSON is text."""
    if body.strip().startswith("{"):
        return _json(f'{{"name": {json.dumps(name)}, "arguments": {body.strip()}}}')
    return (Call(name, {key: _told(value) for key, value in _PARAMETER.findall(body)}),)


def _pairs(text: str) -> tuple[Call, ...] | None:
    name, keys, _ = text.strip().partition("<arg_key>")
    name = name.strip()
    if not keys or not re.fullmatch(r"[\w.-]+", name):
        return None
    return (Call(name, {key.strip(): _told(value) for key, value in _PAIR.findall(text)}),)


def _separated(text: str) -> tuple[Call, ...] | None:
    found = _SEPARATED.match(text)
    if found is None:
        return None
    name, body = (found[1], found[2]) if found[1] else (found[3], found[4])
    return _json(f'{{"name": {json.dumps(name)}, "arguments": {body.strip() or "{}"}}}')


def _told(text: str) -> Any:
    if _depth(text) > MOST_LEVELS:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _mistral(text: str) -> tuple[Call, ...] | None:
    """A list of objects, or a name in front of `[ARGS]` and an object."""
    named = _NAMED.match(text)
    if named is None:
        return _json(text)
    return _json(f'{{"name": {json.dumps(named[1])}, "arguments": {text[named.end() :].strip() or "{}"}}}')


def _python(text: str) -> tuple[Call, ...] | None:
    """`f(a=1)`, `[f(a=1), g(b="x")]` or a call a line; arguments without a name are left aside, as BFCL does."""
    text = text.strip().strip("'`").strip()
    if "(" not in text or _depth(text) > MOST_LEVELS:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # of what the model wrote, such as an escape that is none
            # As in BFCL one line is an expression, behind which there is no semicolon.
            parsed = ast.parse(text).body if "\n" in text else [ast.Expr(ast.parse(text, mode="eval").body)]
        lines = [line.value for line in parsed if isinstance(line, ast.Expr)]
        if len(lines) != len(parsed):
            return None
        nodes = [node for line in lines for node in (line.elts if isinstance(line, ast.List | ast.Tuple) else [line])]
        calls = [_call(node) for node in nodes]
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        return None
    return tuple(calls) or None


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise TypeError("no call")
    parts, place = [], node.func
    while isinstance(place, ast.Attribute):
        parts.append(place.attr)
        place = place.value
    if isinstance(place, ast.Name):
        parts.append(place.id)
    return Call(".".join(reversed(parts)), {word.arg: _value(word.value) for word in node.keywords if word.arg})


def _value(node: ast.expr) -> Any:
    """What a node stands for; a name or anything else that only running it would tell is its own text."""
    match node:
        case ast.Constant():
            return "..." if node.value is Ellipsis else _printable(node.value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List():
            return [_value(one) for one in node.elts]
        case ast.Tuple():
            return tuple(_value(one) for one in node.elts)
        case ast.Dict():
            return {str(_value(key)): _value(one) for key, one in zip(node.keys, node.values, strict=True) if key}
        case ast.BinOp():
            return _computed(node)
        case ast.Call() if node.keywords:
            call = _call(node)
            return {call.name: call.arguments}
        case ast.Name():
            return node.id
    return ast.unparse(node)


def _computed(node: ast.BinOp) -> Any:
    """A sum, a product and their like of plain numbers."""
    one, other = _value(node.left), _value(node.right)
    work = _ARITHMETIC.get(type(node.op))
    if work is None or not all(isinstance(number, int | float) for number in (one, other)):
        return ast.unparse(node)
    return _printable(work(one, other))


def _printable(value: Any) -> Any:
    """The value. Raises `ValueError` for a whole number of thousands of digits."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise ValueError("a number that is too large")
    return value


def _depth(text: str) -> int:
    deepest = level = 0
    for sign in text:
        level += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, level)
    return deepest
