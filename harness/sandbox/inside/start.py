"""The first thing that runs inside a sandbox, as one of its two parts."""

import json
import os
import sys
from typing import Any

from harness.sandbox.inside.candidate import answer_calls
from harness.sandbox.inside.judge import judge
from harness.sandbox.inside.limits import confine
from harness.sandbox.inside.values import receive, send

__all__ = ["start"]


def start() -> None:
    """Confine this process, and be `candidate` or `judge`, as the command's arguments say.

    They are the limits as JSON, the part, and the numbers of its pipes: of those that it reads and writes in turn.
    """
    limits, part, *numbers = sys.argv[1:]
    streams: list[Any] = [os.fdopen(int(one), "wb" if place % 2 else "rb") for place, one in enumerate(numbers)]
    confine(**json.loads(limits))
    os.dup2(1, 2)  # what set it up has nothing more to complain of
    if part == "candidate":
        answer_calls(*streams)
    else:
        jobs, verdicts, answers, requests = streams
        send(verdicts, judge(receive(jobs) or {}, requests, answers))
    os._exit(0)  # without whatever a program may have registered for its end
