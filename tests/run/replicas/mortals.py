"""Workers that need no model, answer what they are asked by its words, and die where these say so."""

import os
from pathlib import Path

from harness.core.errors import ModelError
from harness.core.models import Model
from harness.core.requests import Loglikelihood, Request, Response
from harness.engine.kinds.scripted import ScriptedModel
from harness.record.environment import package_versions
from harness.run.replicas.replica import Opening, Replica, WorkerFacts

__all__ = ["Mortal", "said"]


def said(request: Request) -> Response:
    """As many nats as the text has characters. A worker dies at `deadly`, and once at `once PATH`."""
    assert isinstance(request, Loglikelihood)
    if request.context == "deadly":
        os._exit(1)
    if request.context.startswith("once "):
        path = Path(request.context.removeprefix("once "))
        if not path.exists():
            path.touch()
            os._exit(1)
    if request.context == "faulty":
        raise ModelError("has no answer", place="a model", fix="Ask another")
    return Response(request_id=request.id, loglikelihood=-float(len(request.context)))


class Mortal(Replica):
    """A worker whose model is a script, and that is there at once."""

    def __init__(self, threads: int) -> None:
        self._begin(threads)

    def facts(self, device: str) -> WorkerFacts:
        return WorkerFacts(
            node="here",
            node_id=self._node_id,
            versions=package_versions(),
            machine="any",
            process_id=os.getpid(),
            threads=1,
            device={"device": device},
            peak_memory_bytes=None,
        )

    def _load(self, opening: Opening) -> Model:
        return ScriptedModel(said)
