"""The process of the tests: it calls the stranger's function, which runs elsewhere, and says if they hold."""

import builtins
from collections.abc import Callable
from typing import Any, BinaryIO

from harness.sandbox.inside.candidate import seed_chance
from harness.sandbox.inside.values import receive, send

__all__ = ["judge"]

_SAID = 300
_SIGNALS = (StopIteration, StopAsyncIteration)
"""They end a loop without a word, and a test's loop with it, so that a function can't raise them here."""


class _Ended(BaseException):
    """The program's process is gone; no `Exception`, since a test may catch those."""


class _Raised(Exception):  # noqa: N818 - stands for an error of another process, of a class that isn't Python's own
    """What the program raised."""


def judge(job: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> dict[str, Any]:
    """What came of the tests: `passed`, else the class of what was raised (`error`) and its `message`.

    `ended` says that the program's process ended instead of answering, `never_began` that there never was one.
    """
    if receive(answers) != {"began": True}:
        return {"never_began": True}
    try:
        send(requests, {"program": job["program"], "entry_point": job["entry_point"]})
        _answer(answers)
        namespace: dict[str, Any] = {"__name__": "tests"}
        exec(compile(job["given"], "given.py", "exec"), namespace)
        namespace[job["entry_point"]] = _caller(requests, answers)
        seed_chance(job["tests"])
        exec(compile(job["tests"], "tests.py", "exec"), namespace)
    except (_Ended, BrokenPipeError):
        return {"passed": False, "ended": True}
    except BaseException as error:
        name, said = error.args if isinstance(error, _Raised) else (type(error).__name__, str(error))
        return {"passed": False, "error": name, "message": said[:_SAID]}
    return {"passed": True}


def _caller(requests: BinaryIO, answers: BinaryIO) -> Callable[..., Any]:
    def candidate(*positional: Any, **named: Any) -> Any:
        send(requests, {"value": (positional, named)})
        return _answer(answers)

    return candidate


def _answer(answers: BinaryIO) -> Any:
    """The value that the program gives. Raises what it raised, if that is an error of Python's own."""
    answer = receive(answers)
    if answer is None:
        raise _Ended
    if "error" not in answer:
        return answer.get("value")
    name, said = str(answer["error"]), str(answer.get("message", ""))
    kind = getattr(builtins, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, _SIGNALS):
        raise _Raised(name, said)
    try:
        error = kind(said)
    except TypeError:  # of Unicode's errors, which want to know where
        raise _Raised(name, said) from None
    raise error
