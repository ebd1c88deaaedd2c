"""Other checkpoints that judge what a model writes, where the user names some."""

from collections.abc import Iterable, Sequence

from harness.core.errors import InputError
from harness.core.scorers import UsesMatcher, UsesToxicity
from harness.core.tasks import Task
from harness.scorers.bertscore import bert_scorer
from harness.scorers.classifier import toxicity_scorer

__all__ = ["use_judges"]


def use_judges(
    tasks: Iterable[Task], *, toxicity_model: str | None, bertscore_model: str | None, offline: bool
) -> None:
    """Give the tasks that score toxicity, or compare texts with references, the checkpoint that is to do it, if any.

    Raises `InputError` where no task needs one that is named; else as `toxicity_scorer` and `bert_scorer` do.
    """
    listed = list(tasks)
    if toxicity_model is not None:
        scorer = toxicity_scorer(toxicity_model, offline=offline)
        scoring = [task for task in listed if isinstance(task, UsesToxicity)]
        _refuse_none(scoring, f"--toxicity-model {toxicity_model}", "scores toxicity", "toxicity")
        for task in scoring:
            task.use_toxicity(scorer)
    if bertscore_model is not None:
        matcher = bert_scorer(bertscore_model, offline=offline)
        comparing = [task for task in listed if isinstance(task, UsesMatcher)]
        _refuse_none(comparing, f"--bertscore-model {bertscore_model}", "compares a text with a reference", "bleu")
        for each in comparing:
            each.use_matcher(matcher)


def _refuse_none(found: Sequence[object], place: str, does: str, suite: str) -> None:
    if not found:
        raise InputError(
            f"none of the tasks asked for {does}", place=place, fix=f"Leave it out, or add --suite {suite}"
        )
