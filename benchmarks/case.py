"""What a benchmark case is: requests, and how their answers are scored."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.core.requests import Request, Response
from harness.core.tasks import Row, Sample, Task, TaskSettings

__all__ = ["Answers", "Build", "Builder", "Case", "choice_case", "distinct", "few_shot"]

Answers = Mapping[str, Response]
"""Responses by request id."""

SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Distinct requests, and the score `metric` that both sides' answers are reduced to."""

    requests: tuple[Request, ...]
    metric: str
    score: Callable[[Answers], float]


Build = Callable[[int, Sequence[Sequence[Row]]], Case]
"""Makes a case of so many items from the rows of the builder's data sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A case that can be made at two sizes.

    `data` names the data sets that `build` takes rows of; `small` and `full` count its items. `wanted` is the ratio of
    lm-eval's time to ours that is aimed at, None where none was set. `hf_batch_size` is what lm-eval runs at: the
    fastest for it where several were tried (see `docs/benchmarks.md`), for a baseline that is held back proves nothing.
    """

    name: str
    title: str
    data: tuple[str, ...]
    build: Build
    small: int
    full: int
    wanted: float | None = None
    hf_batch_size: int = 4


def distinct(requests: Iterable[Request]) -> tuple[Request, ...]:
    """Each request once, in the order of its first appearance: neither side is to answer one twice."""
    return tuple({request.id: request for request in requests}.values())


def choice_case(task: Task, samples: Sequence[Sample]) -> Case:
    """The samples of a multiple-choice task, scored by its accuracy."""
    asked = [(sample, tuple(task.requests(sample))) for sample in samples]

    def score(answers: Answers) -> float:
        scores = (
            score
            for sample, requests in asked
            for score in task.score(sample, [answers[request.id] for request in requests])
        )
        return fmean(score.value for score in scores if score.metric == "acc" and score.value is not None)

    return Case(requests=distinct(one for _, requests in asked for one in requests), metric="acc", score=score)


def few_shot(task: Task, rows: Sequence[Row], *, count: int, num_fewshot: int) -> Sequence[Sample]:
    """So many samples of a task, behind the same exemplars."""
    return task.samples(rows, TaskSettings(limit=count, num_fewshot=num_fewshot, seed=SEED))
