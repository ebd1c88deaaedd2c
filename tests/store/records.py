"""Sealed records made without a model: what `harness eval` leaves, with numbers that a test chooses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from harness.core.headlines import headline_estimates
from harness.core.metrics import Metric, Proportion
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Estimate, Score
from harness.core.tasks import Suite
from harness.record import RunRecord, RunSpec, RunWriter, TaskSpec
from harness.record.tables import response_row, score_row

__all__ = ["SUITES", "make_record"]

ACC: Metric = Proportion(name="acc", unit="share", direction="higher", source="test")


class _Skill(Suite):
    name = "accuracy"
    tasks = ("birds", "fish")
    headline = (("birds", "acc"), ("fish", "acc"))


class _Noise(Suite):
    name = "robustness"
    tasks = ("noise",)
    headline = (("noise", "acc"),)


SUITES: Sequence[Suite] = (_Skill(), _Noise())


def make_record(
    root: Path,
    *,
    model: str = "./model",
    fingerprint: str = "f" * 64,
    parent: str | None = None,
    right: float = 0.6,
    n: int = 40,
    seed: int = 0,
    num_fewshot: int = 0,
    suites: Sequence[Suite] = SUITES,
    started_at: str = "2026-11-01T10:00:00+00:00",
    parameter_count: Any = 1000,
    answers: int = 0,
    batch_tokens: int = 64,
    text: str = "Which bird sings?",
    change: Callable[[RunSpec], RunSpec] = lambda spec: spec,
    value: float | None = None,
    absent: str | None = None,
    invalid: str | None = None,
) -> RunRecord:
    """A run of n samples a task of which about the share `right` is answered well; its scores are `value` if given, or
    absent for the reason `absent`; the first sample of each task has no answer for the reason `invalid`, if given.

    Which samples are hard is the same for every model but for luck, which `answers` seeds. `change` makes another spec
    of the run's.
    """
    spec = RunSpec(
        model=model,
        fingerprint=fingerprint,
        kind="causal",
        tasks=tuple(_task(suite.name, task, n, num_fewshot) for suite in suites for task in suite.tasks),
        suites=tuple(suite.name for suite in suites),
        seed=seed,
        dtype="float32",
        device="cpu",
        batch_tokens=batch_tokens,
        apply_chat_template=False,
        meter="none",
        region=None,
        versions={"torch": "2", "responsible-eval-harness": "0.1.0", "harness-code": "c0de"},
    )
    spec = change(spec)
    writer = RunWriter(root, spec)
    writer.write_json(
        "environment.json", {"started_at": started_at, "platform": "test", "device_name": None, "peak_memory_bytes": 9}
    )
    writer.write_json(
        "checkpoint.json",
        {
            "notes": [],
            "fingerprint": fingerprint,
            "parent_fingerprint": parent,
            "architecture": "Tiny",
            "origin": None,
            "parameter_count": parameter_count,
            "size_bytes": parameter_count * 4,
            "bits_per_weight": 32.0,
        },
    )
    writer.write_json("engine.json", {"accuracy": {"asked_token_count": 9, "computed_token_count": 4}})
    responses, scores, estimates = [], [], []
    for task in spec.tasks:
        made = [_score(index, right, answers, task.task) for index in range(n)]
        made[0] = replace(made[0], invalid=invalid)
        scores += [score_row(task.suite, task.task, score) for score in made]
        for score in made:
            for position, choice in enumerate((" the lark", " the carp")):
                request = Loglikelihood(context=f"{task.task} {score.sample_id}: {text}", continuation=choice)
                told = float(position == int(score.predicted or 0)) - 2.0
                response = Response(
                    request_id=request.id,
                    loglikelihood=told,
                    is_greedy=False,
                    token_ids=(1,),
                    token_count=1,
                    invalid=score.invalid,
                )
                responses.append(response_row(task.suite, task.task, score.sample_id, position, request, response))
        estimate = _estimate(task.suite, task.task, made)
        if value is not None or absent is not None:
            estimate = replace(estimate, value=value, stderr=None, low=None, high=None, reason=absent)
        estimates.append(estimate)
    record = writer.seal(
        responses=responses,
        scores=scores,
        estimates=[*estimates, *headline_estimates(suites, estimates, "test")],
        measurements=[],
    )
    writer.close()
    return record


def _task(suite: str, task: str, n: int, num_fewshot: int) -> TaskSpec:
    return TaskSpec(
        suite=suite,
        task=task,
        version=1,
        limit=n,
        num_fewshot=num_fewshot,
        sample_count=n,
        data_sha256="d" * 64,
        requests_sha256=f"{n:04d}{num_fewshot:04d}".ljust(64, "0"),
        definition_sha256="0" * 64,
        code_sha256="0" * 64,
        languages=("en",),
    )


def _score(index: int, right: float, answers: int, task: str) -> Score:
    hardness = Random(f"{task}:{index}").random()
    luck = Random(f"{task}:{index}:{answers}").gauss(0, 0.05)
    is_right = hardness + luck < right
    return Score(
        sample_id=f"s{index}",
        metric="acc",
        value=float(is_right),
        gold=str(index % 2),
        predicted=str(index % 2 if is_right else 1 - index % 2),
        groups={"habitat": "air" if index % 3 else "water"},
    )


def _estimate(suite: str, task: str, scores: Sequence[Score]) -> Estimate:
    interval = ACC.reduce(scores, Random(0))
    return Estimate(
        suite=suite,
        task=task,
        metric="acc",
        value=interval.value,
        stderr=interval.stderr,
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        n=len(scores),
        unit="share",
        direction="higher",
        signature="test",
    )
