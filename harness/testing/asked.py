"""A task asked and answered whole, as a run does it, without a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.datasets import Row
from harness.core.models import Model, respond
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample, Task, TaskSettings
from harness.data import find, load_data
from harness.testing.answers import StandIn, refused
from harness.testing.demands import demand

__all__ = ["AskedSample", "all_refused", "ask_whole", "possible_labels", "scored", "task_rows", "trial_settings"]

_MOST_ROUNDS = 100
_MOST_LABELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSample:
    """A sample, all requests about it, their responses, and what these are scored as."""

    sample: Sample
    requests: tuple[Request, ...]
    responses: tuple[Response, ...]
    scores: tuple[Score, ...]


def task_rows(task: Task, rows: Sequence[Row] | None) -> Sequence[Row]:
    """The rows given, else those of the task's data set. Raises what `harness.data.load` does."""
    if rows is not None or task.data is None:
        return rows or ()
    return load_data(find(task.data) if isinstance(task.data, str) else task.data).rows


def trial_settings(task: Task, limit: int | None, *, num_fewshot: int | None = None, seed: int = 0) -> TaskSettings:
    """So many samples, with the task's own number of exemplars by default."""
    shown = task.default_num_fewshot if num_fewshot is None else num_fewshot
    return TaskSettings(limit=limit, num_fewshot=shown, seed=seed)


def possible_labels(samples: Sequence[Sample]) -> Sequence[str]:
    """What a model could say of the samples: choices and gold texts, or one name where all gold texts are numbers."""
    texts = [
        text for sample in samples for text in (sample.choices or (sample.gold,)) if isinstance(text, str) and text
    ]
    found = list(dict.fromkeys(texts))[:_MOST_LABELS]
    return ["number"] if found and all(map(_is_number, found)) else found


def ask_whole(task: Task, sample: Sample, model: Model) -> AskedSample:
    """The sample's requests and follow-ups, answered by the model until none is left, and the scores of all that."""
    requests, responses = list(task.requests(sample)), list[Response]()
    new: Sequence[Request] = requests
    for _ in range(_MOST_ROUNDS):
        found = {response.request_id: response for response in respond(model, list(_distinct(new)))}
        responses += [found[request.id] for request in new]
        new = task.follow_up(sample, responses)
        if not new:
            break
        requests += new
    demand(not new, f"`follow_up` of sample {sample.id!r} asks on after {_MOST_ROUNDS} rounds")
    scores = tuple(task.score(sample, responses))
    return AskedSample(sample=sample, requests=tuple(requests), responses=tuple(responses), scores=scores)


def scored(task: Task, rows: Sequence[Row] | None, limit: int, model: Model | None = None) -> list[AskedSample]:
    """Each of so many samples, answered by the model, or by nobody's."""
    samples = task.samples(task_rows(task, rows), trial_settings(task, limit))
    answering = model or StandIn(possible_labels(samples))
    return [ask_whole(task, sample, answering) for sample in samples]


def all_refused(task: Task, one: AskedSample) -> Sequence[Score]:
    """The scores of a sample of which no answer can be used."""
    first = task.requests(one.sample)
    return task.score(one.sample, [refused(request) for request in first])


def _distinct(requests: Sequence[Request]) -> Sequence[Request]:
    return list({request.id: request for request in requests}.values())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
