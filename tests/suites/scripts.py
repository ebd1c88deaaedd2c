"""Runs a task against a model and gives its estimates, as a run would."""

from collections.abc import Callable, Sequence
from random import Random

from harness.core.metrics import Undefined
from harness.core.models import Model, respond
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Task, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel


def writer(text: Callable[[GenerateUntil], str]) -> ScriptedModel:
    """A model that writes what `text` says, a token a word."""

    def script(request: Request) -> Response:
        assert isinstance(request, GenerateUntil)
        written = text(request)
        return Response(request_id=request.id, text=written, token_count=len(written.split()))

    return ScriptedModel(script)


def scores_of(
    task: Task, model: Model, rows: Sequence[Row] = (), limit: int | None = None, seed: int = 0
) -> list[Score]:
    """Every score of a task."""
    samples = task.samples(rows, TaskSettings(limit=limit, num_fewshot=0, seed=seed))
    asked = {sample.id: list(task.requests(sample)) for sample in samples}
    answers: dict[str, Response] = {}
    new = asked
    while any(new.values()):
        distinct = {request.id: request for several in new.values() for request in several}
        answers |= {response.request_id: response for response in respond(model, list(distinct.values()))}
        so_far = {name: [answers[request.id] for request in several] for name, several in asked.items()}
        new = {sample.id: list(task.follow_up(sample, so_far[sample.id])) for sample in samples}
        asked = {name: [*several, *new[name]] for name, several in asked.items()}
    return [
        score
        for sample in samples
        for score in task.score(sample, [answers[request.id] for request in asked[sample.id]])
    ]


def value_of(task: Task, metric: str, scores: Sequence[Score], **group: str) -> float | str:
    """The value of a metric, or the reason for its absence."""
    reducer = next(one for one in task.metrics if one.name == metric)
    chosen = [
        score
        for score in scores
        if score.metric == metric
        and score.invalid is None
        and all(score.groups.get(attribute) == value for attribute, value in group.items())
    ]
    try:
        return reducer.reduce(chosen, Random(0)).value
    except Undefined as undefined:
        return str(undefined)
