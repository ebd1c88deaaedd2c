"""Plain values as text: what a test hands to a function of a stranger, and what it gets back.

Only data pass. An object with methods of its own, such as one that says it equals anything, is refused where it is
made, and could not be written in this form by whoever writes to the pipe himself.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

__all__ = ["MAX_BYTES", "Refused", "receive", "send"]

MAX_BYTES = 16 << 20
"""The longest message; one value that is longer is refused."""
_EXACT = 1 << 53
"""Whole numbers beyond it are written in hexadecimal, which has no limit of digits."""

_COLLECTIONS = (list, tuple, set, frozenset)
_MAKERS: dict[str, Callable[[Iterable[Any]], Any]] = {kind.__name__: kind for kind in _COLLECTIONS}


class Refused(Exception):  # noqa: N818 - its message says what was refused, and why
    """A message that can't be sent, or isn't one."""


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message: texts as they are, and what stands under `value`, in plain form. Raises `Refused`."""
    try:
        if "value" in message:
            message = {**message, "value": _plain(message["value"])}
        line = json.dumps(message).encode() + b"\n"
    except RecursionError as error:
        raise Refused("a value is nested too deeply") from error
    if len(line) > MAX_BYTES:
        raise Refused(f"a value takes {len(line):,} bytes; the limit is {MAX_BYTES:,}")
    stream.write(line)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message; None where the other side has ended. Raises `Refused` for what is none."""
    line = stream.readline(MAX_BYTES + 1)
    if not line.endswith(b"\n"):
        if len(line) > MAX_BYTES:
            raise Refused(f"a message has more than {MAX_BYTES:,} bytes")
        return None
    try:
        message = json.loads(line)
        if not isinstance(message, dict):
            raise Refused("a message is no object")
        if "value" in message:
            message["value"] = _built(message["value"])
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise Refused(f"a message can't be read ({type(error).__name__})") from error
    return message


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        exact = int.__index__(value)
        return exact if -_EXACT < exact < _EXACT else ["int", hex(exact)]
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, dict):
        return ["dict", [[_plain(key), _plain(item)] for key, item in value.items()]]
    for kind in _COLLECTIONS:
        if isinstance(value, kind):
            return [kind.__name__, [_plain(item) for item in value]]
    raise Refused(f"a value is of the type {type(value).__name__}, which is no plain data")


def _built(form: Any) -> Any:
    if not isinstance(form, list):
        if isinstance(form, dict):
            raise TypeError
        return form
    name, *content = form
    if name == "int":
        return int(content[0], 16)
    if name == "complex":
        return complex(*content)
    if name == "bytes":
        return bytes.fromhex(content[0])
    if name == "dict":
        return {_built(key): _built(item) for key, item in content[0]}
    return _MAKERS[name](_built(item) for item in content[0])
