"""The process of a program that a model wrote: it answers calls of one of its functions with plain values.

It holds neither the tests nor the verdict, so that there is nothing here to forge: all it can do is to give values.
"""

from typing import Any, BinaryIO

from harness.sandbox.inside.values import Refused, receive, send

__all__ = ["answer_calls", "seed_chance"]

_SAID = 300


def answer_calls(requests: BinaryIO, answers: BinaryIO) -> None:
    """Run the program that comes first, then answer a call for each message, until there are no more."""
    send(answers, {"began": True})
    job = receive(requests)
    if job is None:
        return
    namespace: dict[str, Any] = {"__name__": "program"}
    seed_chance(job["program"])
    try:
        exec(compile(job["program"], "program.py", "exec"), namespace)
        function = namespace[job["entry_point"]]
    except BaseException as error:  # a program may raise whatever it likes, and none of it ends this process
        _tell(answers, error, job["entry_point"])
        return
    send(answers, {"value": None})
    while (call := receive(requests)) is not None:
        positional, named = call["value"]
        try:
            send(answers, {"value": function(*positional, **named)})
        except BaseException as error:
            _tell(answers, error, job["entry_point"])


def seed_chance(code: str) -> None:
    """Have dice fall the same each time, in code that speaks of them."""
    if "random" in code:
        import random

        random.seed(0)


def _tell(answers: BinaryIO, error: BaseException, entry_point: str) -> None:
    if isinstance(error, KeyError) and error.args == (entry_point,):
        message = f"the program defines no {entry_point}"
        send(answers, {"error": "NameError", "message": message})
        return
    if isinstance(error, Refused):
        send(answers, {"error": "TypeError", "message": str(error)})
        return
    try:
        message = str(error)[:_SAID]
    except BaseException:  # of its own making
        message = ""
    send(answers, {"error": type(error).__name__, "message": message})
