"""Other checkpoints that judge what a model writes, where the user names some."""

from collections.abc import Iterable, Sequence

from harness.core import registry
from harness.core.errors import InputError
from harness.core.reports.installed import known_suite
from harness.core.scorers import TextScorer, UsesMatcher, UsesToxicity
from harness.core.tasks import Task
from harness.scorers.bertscore import bert_scorer
from harness.scorers.classifier import toxicity_scorer

__all__ = ["use_judges"]

_SCORERS = "harness.scorers"


def use_judges(
    tasks: Iterable[Task], *, toxicity_model: str | None, bertscore_model: str | None, offline: bool
) -> None:
    """Give the tasks that score toxicity, or compare texts with references, the checkpoint that is to do it, if any.

    A registered scorer goes by its name; all else is a checkpoint. Raises `InputError` where no task needs one that is
    named, `PluginError` for a registered one that can't be used; else as `toxicity_scorer` and `bert_scorer` do.
    """
    listed = list(tasks)
    if toxicity_model is not None:
        scorer = _scorer(toxicity_model, offline)
        scoring = [task for task in listed if isinstance(task, UsesToxicity)]
        _refuse_none(scoring, f"--toxicity-model {toxicity_model}", "scores toxicity", UsesToxicity)
        for task in scoring:
            task.use_toxicity(scorer)
    if bertscore_model is not None:
        matcher = bert_scorer(bertscore_model, offline=offline)
        comparing = [task for task in listed if isinstance(task, UsesMatcher)]
        _refuse_none(comparing, f"--bertscore-model {bertscore_model}", "compares a text with a reference", UsesMatcher)
        for each in comparing:
            each.use_matcher(matcher)


def _scorer(name: str, offline: bool) -> TextScorer:
    if name in registry.names(_SCORERS):
        scorer: TextScorer = registry.make(_SCORERS, name)
        return scorer
    return toxicity_scorer(name, offline=offline)


def _refuse_none(found: Sequence[object], place: str, does: str, contract: type) -> None:
    if not found:
        installed = filter(None, map(known_suite, registry.names("harness.suites")))
        having = [f"--suite {one.name}" for one in installed if any(_keeps(task, contract) for task in one.tasks)]
        raise InputError(
            f"none of the tasks asked for {does}",
            place=place,
            fix=f"Leave it out, or add {' or '.join(having) or 'one that does'}",
        )


def _keeps(task: str, contract: type) -> bool:
    return isinstance(registry.task(task), contract)
