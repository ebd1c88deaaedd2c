"""One side in a process of its own, for its memory and for how long a cold start takes.

    python -m benchmarks.alone ours|lm-eval CHECKPOINT REQUESTS BATCH_SIZE

answers the requests of a JSON file and prints when it was done and how much memory the process had at its peak. Each
side imports what it needs itself and nothing of the other.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request

__all__ = ["pack", "unpack"]

_KINDS: dict[str, type[Request]] = {kind.kind: kind for kind in (GenerateUntil, Loglikelihood, LoglikelihoodRolling)}


def pack(requests: Sequence[Request]) -> str:
    """Requests as JSON."""
    return json.dumps([{"kind": request.kind, **vars(request)} for request in requests])


def unpack(text: str) -> list[Request]:
    """Requests from JSON."""
    found = []
    for fields in json.loads(text):
        kind = _KINDS[fields.pop("kind")]
        fields.pop("id", None)
        found.append(
            kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
        )
    return found


def peak_bytes() -> int:
    """The most memory this process has held at once.

    Linux counts `ru_maxrss` from the parent that started the process, so its own counter is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _ours(checkpoint: str, requests: Sequence[Request]) -> None:
    from harness.checkpoints import resolve
    from harness.core.models import ModelOptions, respond
    from harness.core.process.heap import uncollected

    with uncollected():
        from harness.engine.opening import open_model

    list(respond(open_model(resolve(checkpoint), ModelOptions(dtype="float32", device="cpu")), requests))


def _lm_eval(checkpoint: str, requests: Sequence[Request], batch_size: int) -> None:
    from lm_eval.models.huggingface import HFLM

    from benchmarks.sides import lm_eval_answers

    model: Any = HFLM(pretrained=checkpoint, dtype="float32", device="cpu", batch_size=batch_size)
    lm_eval_answers(model, requests)


def main() -> None:
    """Answer, then print one line of JSON."""
    side, checkpoint, file, batch_size = sys.argv[1:]
    requests = unpack(Path(file).read_text())
    if side == "ours":
        _ours(checkpoint, requests)
    else:
        _lm_eval(checkpoint, requests, int(batch_size))
    print(json.dumps({"answered_at_s": time.time(), "peak_bytes": peak_bytes()}))


if __name__ == "__main__":
    main()
