"""Whether calls are those that were wanted, by the definitions of the Berkeley Function Calling Leaderboard.

A function is described by `name` and `parameters` (JSON schema with BFCL's names of types). What is wanted is, for each
call, the values that each argument may have; an empty text among them says that it may be left out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from suites.tools.calls import Call

__all__ = ["Function", "Wanted", "fault_of"]

Function = Mapping[str, Any]
Wanted = Mapping[str, Mapping[str, Sequence[Any]]]
"""The name of a function and, for each of its arguments, the values that it may have."""

_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
_FREE = re.compile(r"[ ,./\-_*^]")
"""What two texts may differ in, beside their case."""


class _FaultError(Exception):
    """What is wrong with a call, in a few words."""


def fault_of(functions: Sequence[Function], wanted: Sequence[Wanted], calls: Sequence[Call]) -> str | None:
    """What is wrong with the calls, in a few words; None where nothing is.

    Each wanted call takes the first that fits and isn't taken, in any order; there may be none beside them.
    """
    if len(calls) != len(wanted):
        return f"{len(calls)} calls instead of {len(wanted)}"
    left = list(calls)
    for one in wanted:
        faults = [_fault(functions, one, call) for call in left]
        if None not in faults:
            return faults[0]
        del left[faults.index(None)]
    return None


def _fault(functions: Sequence[Function], wanted: Wanted, call: Call) -> str | None:
    ((name, allowed),) = wanted.items()
    function = functions[0] if len(functions) == 1 else next(one for one in functions if one["name"] == name)
    try:
        _check_call(function, allowed, call)
    except _FaultError as fault:
        return str(fault)
    return None


def _check_call(function: Function, allowed: Mapping[str, Sequence[Any]], call: Call) -> None:
    if call.name != function["name"]:
        raise _FaultError(f"{call.name} is called instead of {function['name']}")
    described = function["parameters"]["properties"]
    missing = [name for name in function["parameters"]["required"] if name not in call.arguments]
    if missing:
        raise _FaultError(f"{missing[0]} is missing")
    for name, value in call.arguments.items():
        if name not in described or name not in allowed:
            raise _FaultError(f"there is no argument {name}")
        _check_argument(name, described[name], value, allowed[name])
    for name, values in allowed.items():
        if name not in call.arguments and "" not in values:
            raise _FaultError(f"{name} is missing")


def _check_argument(name: str, described: Mapping[str, Any], value: Any, allowed: Sequence[Any]) -> None:
    kind = described["type"]
    if kind == "tuple" and isinstance(value, tuple):
        value = list(value)
    if kind == "float" and type(value) is int:
        value = float(value)
    inner = _TYPES[described["items"]["type"]] if kind in ("array", "tuple") else None
    is_named = _check_type(name, value, allowed, _TYPES[kind], inner)
    if not (value in allowed if is_named else _is_allowed(value, allowed, inner)):
        raise _FaultError(f"{name} is {value!r:.80}, not {' or '.join(f'{one!r:.80}' for one in allowed)}")


def _check_type(name: str, value: Any, allowed: Sequence[Any], kind: type, inner: type | None) -> bool:
    """Whether the value stands for another, such as the name of a variable, because allowed ones are of another type.

    Types are the same or not: a boolean is no integer.
    """
    other = next((type(one) for one in allowed if one != ""), None)
    if type(value) is kind:
        if inner is None or any(_are_inside(name, value, one, inner) for one in allowed):
            return other is not None and other is not kind
    elif other is not None and type(value) is other:
        return True
    raise _FaultError(f"{name} is {value!r:.80}, not of the type {kind.__name__}")


def _are_inside(name: str, values: Any, allowed: Any, inner: type) -> bool:
    if not isinstance(allowed, list):
        return True
    try:
        for value in values:
            _check_type(name, value, allowed, inner, None)
    except _FaultError:
        return False
    return True


def _is_allowed(value: Any, allowed: Sequence[Any], inner: type | None) -> bool:
    if isinstance(value, dict):
        return any(one != "" and _is_object(value, one) for one in allowed)
    if inner is dict:
        return any(_are_objects(value, one) for one in allowed)
    if isinstance(value, str):
        return _plain(value) in [_plain(one) for one in allowed if isinstance(one, str)]
    if isinstance(value, list):
        return [_plain(one) for one in value] in [[_plain(part) for part in one] for one in allowed]
    return value in allowed


def _are_objects(values: Sequence[Any], allowed: Sequence[Any]) -> bool:
    return len(values) == len(allowed) and all(
        isinstance(value, dict) and _is_object(value, one) for value, one in zip(values, allowed, strict=True)
    )


def _is_object(value: Mapping[str, Any], allowed: Mapping[str, Sequence[Any]]) -> bool:
    return all(
        name in allowed and _plain(one) in [_plain(other) for other in allowed[name]] for name, one in value.items()
    ) and all(name in value or "" in values for name, values in allowed.items())


def _plain(value: Any) -> Any:
    """A text as it is compared: in lower case, without spaces and some signs, one kind of quotation mark."""
    return _FREE.sub("", value).lower().replace("'", '"') if isinstance(value, str) else value
