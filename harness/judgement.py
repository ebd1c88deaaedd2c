"""From responses to scores to estimates, for every task of a run."""

from collections.abc import Mapping, Sequence
from random import Random

from harness.core.hashing import SHORT
from harness.core.metrics import Metric, Undefined
from harness.core.requests import Response
from harness.core.scores import Estimate, Score
from harness.record import RunSpec
from harness.work import TaskWork

__all__ = ["estimate_metric", "estimate_task", "run_signature", "score_task"]


def score_task(work: TaskWork, responses: Mapping[str, Response]) -> list[Score]:
    """The scores of every sample of a task, in the order of its samples."""
    return [
        score
        for sample, requests in zip(work.samples, work.requests, strict=True)
        for score in work.planned.task.score(sample, [responses[request.id] for request in requests])
    ]


def estimate_task(work: TaskWork, scores: Sequence[Score], spec: RunSpec) -> list[Estimate]:
    """One estimate for each metric of a task, in the task's order."""
    signature = f"{_task_signature(work)}|{run_signature(spec)}"
    return [
        estimate_metric(
            metric,
            [score for score in scores if score.metric == metric.name],
            suite=work.planned.suite,
            task=work.planned.task.name,
            seed=spec.seed,
            signature=signature,
        )
        for metric in work.planned.task.metrics
    ]


def estimate_metric(
    metric: Metric, scores: Sequence[Score], *, suite: str, task: str, seed: int, signature: str
) -> Estimate:
    """What the valid scores amount to; absent, with the reason, where none is valid or the metric is undefined."""
    valid = [score for score in scores if score.invalid is None]
    interval, reason = None, None
    if not valid:
        reason = f"none of {len(scores)} samples could be used"
        reason += f": {scores[0].invalid}" if scores else ""
    else:
        try:
            interval = metric.reduce(valid, Random(f"{seed}:{suite}:{task}:{metric.name}"))
        except Undefined as undefined:
            reason = str(undefined)
    return Estimate(
        suite=suite,
        task=task,
        metric=metric.name,
        value=interval.value if interval else None,
        stderr=interval.stderr if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=interval.method if interval else None,
        n=len(valid),
        invalid_count=len(scores) - len(valid),
        tie_count=sum(score.tie for score in valid),
        unit=metric.unit,
        direction=metric.direction,
        target=metric.target,
        basis=metric.basis,
        signature=signature,
        reason=reason,
    )


def run_signature(spec: RunSpec) -> str:
    """What every score of a run depends on, in the manner of sacrebleu: `key:value` joined by bars."""
    return "|".join(
        (
            f"model:{spec.fingerprint[:SHORT]}",
            f"dtype:{spec.dtype}",
            f"device:{spec.device}",
            f"chat:{'yes' if spec.apply_chat_template else 'no'}",
            f"seed:{spec.seed}",
            *(f"{name}:{version}" for name, version in sorted(spec.versions.items())),
        )
    )


def _task_signature(work: TaskWork) -> str:
    spec = work.spec
    data = spec.data_sha256[:SHORT] if spec.data_sha256 else "in-task"
    return (
        f"task:{spec.task}|v:{spec.version}|n:{spec.sample_count}|fewshot:{spec.num_fewshot}"
        f"|data:{data}|requests:{spec.requests_sha256[:SHORT]}"
    )
