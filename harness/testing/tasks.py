"""What every task promises."""

from collections.abc import Sequence
from dataclasses import replace

from harness.core.datasets import Row
from harness.core.errors import TaskError
from harness.core.models import Model
from harness.core.requests import Request
from harness.core.tasks import Sample, Task
from harness.testing.answers import StandIn
from harness.testing.asked import AskedSample, all_refused, ask_whole, possible_labels, task_rows, trial_settings
from harness.testing.demands import demand, told_of
from harness.testing.metrics import check_metrics, check_scores

__all__ = ["check_task"]

_OTHER_SEEDS = (1, 2, 3)
_EXEMPLARS = 2


def check_task(
    task: Task, rows: Sequence[Row] | None = None, *, limit: int = 8, model: Model | None = None, draws: bool = True
) -> None:
    """Raises `AssertionError` where a task breaks its contract, with what it broke.

    Asked are `limit` samples of `rows`, or of the task's data set (fetched where it must be), answered by `model`, or
    by answers that are made up. Checked are: name, docstring, metrics and classes of requests; the same samples and
    requests each time, and others for another seed (`draws` False: the task takes the same ones for each seed, and as
    many as it needs); ids that are unique; that a larger limit contains a smaller one; that no exemplar is evaluated;
    that every request is of a class in `asks`; scores of declared metrics, finite, in their ranges and groups, for
    every metric and every sample; and that an answer which can't be used becomes no value.
    """
    with told_of(f"the task {getattr(task, 'name', None) or type(task).__name__}"):
        _check_declaration(task)
        found = task_rows(task, rows)
        samples = task.samples(found, trial_settings(task, limit))
        if draws:
            demand(len(samples) <= limit, f"it gives {len(samples)} samples where the limit is {limit} (see `draws`)")
        _check_samples(task, samples)
        _check_draw(task, found, samples, limit, draws)
        _check_exemplars(task, found, limit)
        answering = model or StandIn(possible_labels(samples))
        done = [ask_whole(task, sample, answering) for sample in samples]
        for one in done:
            with told_of(f"sample {one.sample.id!r}"):
                _check_requests(task, one)
                check_scores(task, one.sample, one.scores)
                demand(ask_whole(task, one.sample, answering) == one, "asked twice, its score differs: is it random?")
                _check_refused(task, one)
        check_metrics(task, [score for one in done for score in one.scores])


def _check_declaration(task: Task) -> None:
    demand(isinstance(task, Task), "it is no `harness.core.tasks.Task`: give an instance of your class")
    demand(isinstance(getattr(task, "name", None), str) and bool(task.name.strip()), "it has no `name`")
    demand(bool((type(task).__doc__ or "").strip()), "its class has no docstring, which `harness tasks` shows")
    demand(isinstance(task.version, int) and task.version >= 1, "its `version` is no number from 1 up")
    demand(bool(task.languages), "it names no `languages`")
    demand(bool(task.metrics), "it has no `metrics`")
    names = [metric.name for metric in task.metrics]
    demand(len(set(names)) == len(names), f"two of its metrics have the same name: {', '.join(sorted(names))}")
    demand(bool(task.asks), "`asks` names no class of requests, so no model is known to be able to answer it")
    for kind in task.asks:
        demand(isinstance(kind, type) and issubclass(kind, Request), f"`asks` holds {kind!r}, which is no Request")


def _check_samples(task: Task, samples: Sequence[Sample]) -> None:
    demand(bool(samples), "it has no samples")
    seen: set[str] = set()
    for sample in samples:
        demand(
            isinstance(sample, Sample) and isinstance(sample.id, str), f"{sample!r:.60} is no Sample with a text as id"
        )
        demand(bool(sample.id), "a sample has an empty id")
        demand(sample.id not in seen, f"two samples have the id {sample.id!r}")
        seen.add(sample.id)
        inside = 0 <= sample.question_start <= len(sample.prompt)
        demand(inside, f"the `question_start` of sample {sample.id!r} lies outside its prompt")
        if isinstance(sample.gold, int) and sample.choices:
            demand(0 <= sample.gold < len(sample.choices), f"the gold of sample {sample.id!r} is none of its choices")
        demand(bool(task.requests(sample)), f"sample {sample.id!r} asks nothing")


def _check_draw(task: Task, rows: Sequence[Row], samples: Sequence[Sample], limit: int, draws: bool) -> None:
    again = task.samples(list(rows), trial_settings(task, limit))
    demand(_ids(task, again) == _ids(task, samples), "the same rows and seed give other samples or requests again")
    larger = task.samples(rows, trial_settings(task, 2 * limit))
    prompts = {sample.id: sample.prompt for sample in larger}
    for sample in samples:
        demand(sample.id in prompts, f"a limit of {2 * limit} leaves out sample {sample.id!r} of a limit of {limit}")
        demand(prompts[sample.id] == sample.prompt, f"sample {sample.id!r} is another where the limit is larger")
    if not draws or len(larger) == len(samples):
        return
    first = {sample.id for sample in samples}
    others = (task.samples(rows, trial_settings(task, limit, seed=seed)) for seed in _OTHER_SEEDS)
    differ = any({sample.id for sample in other} != first for other in others)
    demand(differ, "another seed draws the same samples (see `draws`)")


def _check_exemplars(task: Task, rows: Sequence[Row], limit: int) -> None:
    if not task.supports_fewshot:
        return
    plain = task.samples(rows, trial_settings(task, limit, num_fewshot=0))
    demand(all(not sample.question_start for sample in plain), "without exemplars, `question_start` is not 0")
    try:
        shown = task.samples(rows, trial_settings(task, limit, num_fewshot=_EXEMPLARS))
    except TaskError as error:
        raise AssertionError(f"it refuses exemplars ({error}); then say `supports_fewshot = False`") from error
    same = _ids(task, shown) == _ids(task, plain)
    demand(not same, "exemplars change none of its requests; then say `supports_fewshot = False`")
    for sample in shown:
        before, own = sample.prompt[: sample.question_start], sample.prompt[sample.question_start :]
        demand(bool(own.strip()), f"sample {sample.id!r} has no question behind its exemplars")
        demand(own not in before, f"sample {sample.id!r} is among its own exemplars")
    settings = replace(trial_settings(task, limit, num_fewshot=_EXEMPLARS), multiturn=True)
    _check_turns(shown, task.samples(rows, settings))


def _check_turns(shown: Sequence[Sample], turned: Sequence[Sample]) -> None:
    """Of exemplars as turns of a chat: nothing else may differ."""
    for sample, other in zip(shown, turned, strict=True):
        if other.exemplars:
            demand(not other.question_start, f"the exemplars of sample {sample.id!r} are turns, and in its prompt too")
        own = (sample.id, sample.prompt[sample.question_start :], sample.choices, sample.gold)
        asked = (other.id, other.prompt[other.question_start :], other.choices, other.gold)
        demand(own == asked, f"sample {sample.id!r} asks something else where exemplars are turns")


def _check_requests(task: Task, one: AskedSample) -> None:
    for position, request in enumerate(one.requests):
        demand(type(request) in task.asks, f"it asks a {type(request).__name__}, which `asks` doesn't name")
        said = task.variant(one.sample, position)
        demand(isinstance(said, str), f"`variant` gives {said!r:.40} for request {position}, and no text")


def _check_refused(task: Task, one: AskedSample) -> None:
    """Of answers that can't be used."""
    scores = all_refused(task, one)
    valued = [score.metric for score in scores if score.invalid is None and score.value is not None]
    demand(
        not valued, f"answers that can't be used give {', '.join(valued[:3])} a value: say `invalid` with the reason"
    )
    check_scores(task, one.sample, scores)


def _ids(task: Task, samples: Sequence[Sample]) -> dict[str, list[str]]:
    return {sample.id: [request.id for request in task.requests(sample)] for sample in samples}
