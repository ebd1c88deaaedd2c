"""Runs both sides in turn and keeps what was seen."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest import mock

from benchmarks.alone import pack
from benchmarks.case import Answers, Builder, Case
from benchmarks.floor import Clock, floor_flops, gemm_flops_per_second, watching
from benchmarks.sides import LmEval, Ours, Side
from harness.checkpoints.fingerprint import file_digests
from harness.checkpoints.headers import find_weights
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.models import ModelOptions
from harness.core.requests import GenerateUntil, Loglikelihood, Request
from harness.engine.kinds.causal import CausalModel
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate

__all__ = [
    "FIRST",
    "Alone",
    "Overhead",
    "Result",
    "Round",
    "compare",
    "difference",
    "measure_alone",
    "measure_overhead",
]

FIRST = Loglikelihood(context="Question: Where do fish live?\nAnswer:", continuation=" in the water")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One turn of each side. `floor_s` is the time of bare arithmetic at the rate measured around our turn."""

    ours_s: float
    lm_eval_s: float
    floor_s: float
    forward_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case after its rounds.

    `difference` is the largest between the two sides' log-likelihoods, in nats, or the share of greedy texts that are
    not equal.
    `padded` counts the tokens that our forward passes saw, padding included, `lm_eval_read` those that lm-eval's did.
    """

    builder: Builder
    case: Case
    rounds: tuple[Round, ...]
    asked: int
    computed: int
    padded: int
    lm_eval_read: int
    difference: float
    ours_score: float
    lm_eval_score: float

    @property
    def ratio(self) -> float:
        """The median time of lm-eval over our median time."""
        return median(one.lm_eval_s for one in self.rounds) / median(one.ours_s for one in self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and highest ratio of a single round."""
        ratios = [one.lm_eval_s / one.ours_s for one in self.rounds]
        return min(ratios), max(ratios)

    @property
    def over_floor(self) -> float:
        """The median of our time over the floor. Below what is possible where decoding is bound by memory."""
        return median(one.ours_s / one.floor_s for one in self.rounds)

    @property
    def outside(self) -> float:
        """The share of our time that is no forward pass."""
        return median(1 - one.forward_s / one.ours_s for one in self.rounds)

    @property
    def writes(self) -> bool:
        """Whether the model writes, instead of scoring what is there."""
        return isinstance(self.case.requests[0], GenerateUntil)


def compare(
    builder: Builder, case: Case, loaded: LoadedCheckpoint, *, rounds: int, clock: Clock = time.perf_counter
) -> Result:
    """Let both sides answer a case in turn, each first in every second round, after a warm-up of one request."""
    theirs = LmEval(loaded, batch_size=builder.hf_batch_size)
    for side in (Ours(loaded), theirs):
        side.answer(case.requests[:1])
    seen: list[Round] = []
    for index in range(rounds):
        ours = Ours(loaded)
        if index % 2:
            with watching(loaded.model, clock) as theirs_seen:
                lm_eval_s, lm_eval_answers = _timed(theirs, case, clock)
        rate = gemm_flops_per_second(loaded.model, clock)
        with watching(loaded.model, clock) as watch:
            ours_s, answers = _timed(ours, case, clock)
        rate = (rate + gemm_flops_per_second(loaded.model, clock)) / 2
        if not index % 2:
            with watching(loaded.model, clock) as theirs_seen:
                lm_eval_s, lm_eval_answers = _timed(theirs, case, clock)
        batches = ours.plan(case.requests)
        computed = sum(batch.computed_token_count for batch in batches)
        flops = floor_flops(
            loaded.model,
            tokens=computed + sum(response.token_count for response in answers.values() if response.text is not None),
            head_positions=watch.head_positions,
        )
        seen.append(Round(ours_s=ours_s, lm_eval_s=lm_eval_s, floor_s=flops / rate, forward_s=watch.forward_s))
    return Result(
        builder=builder,
        case=case,
        rounds=tuple(seen),
        asked=sum(batch.asked_token_count for batch in batches),
        computed=computed,
        padded=watch.padded_tokens,
        lm_eval_read=theirs_seen.padded_tokens,
        difference=difference(case.requests, answers, lm_eval_answers),
        ours_score=case.score(answers),
        lm_eval_score=case.score(lm_eval_answers),
    )


def _timed(side: Side, case: Case, clock: Clock) -> tuple[float, Answers]:
    start = clock()
    answers = side.answer(case.requests)
    return clock() - start, answers


def difference(requests: Sequence[Request], ours: Answers, theirs: Answers) -> float:
    """The largest difference between log-likelihoods, in nats, or the share of greedy texts that differ."""
    greedy = [one.id for one in requests if isinstance(one, GenerateUntil) and one.temperature == 0]
    if greedy:
        return sum(ours[name].text != theirs[name].text for name in greedy) / len(greedy)
    return max(abs(_nats(ours, name) - _nats(theirs, name)) for name in ours)


def _nats(answers: Answers, name: str) -> float:
    value = answers[name].loglikelihood
    return float("nan") if value is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """Medians of one side's processes: seconds from the start to the last answer, and peak memory in bytes."""

    seconds: float
    peak_bytes: float


def measure_alone(
    checkpoint: Path, requests: Sequence[Request], *, rounds: int, batch_size: int = 4
) -> tuple[Alone, Alone]:
    """Ours and lm-eval's, each in `rounds` new processes, in turn."""
    seen: dict[str, list[tuple[float, int]]] = {"ours": [], "lm-eval": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.json"
        file.write_text(pack(requests))
        for _ in range(rounds):
            for side, runs in seen.items():
                command = [sys.executable, "-m", "benchmarks.alone", side, str(checkpoint), str(file), str(batch_size)]
                start = time.time()
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                runs.append((found["answered_at_s"] - start, found["peak_bytes"]))
    ours, theirs = (
        Alone(seconds=median(run[0] for run in runs), peak_bytes=median(run[1] for run in runs))
        for runs in seen.values()
    )
    return ours, theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """A whole evaluation, loading of weights apart: its requests, seconds in all and seconds in forward passes.

    `digest_s` is the part of the seconds in all in which the weights were read for their SHA-256.
    """

    requests: int
    total_s: float
    forward_s: float
    digest_s: float

    @property
    def share(self) -> float:
        """What is no forward pass."""
        return 1 - self.forward_s / self.total_s

    @property
    def share_after_loading(self) -> float:
        """As `share`, with the digest of the weights counted to their loading."""
        return 1 - self.forward_s / (self.total_s - self.digest_s)


def measure_overhead(
    loaded: LoadedCheckpoint, *, questions: int, rounds: int, clock: Clock = time.perf_counter
) -> Overhead:
    """`evaluate` over 5-shot CommonsenseQA, from the resolving of the model to the sealed record; the median round."""
    seen = [_overhead(loaded, questions, clock) for _ in range(rounds)]
    return sorted(seen, key=lambda one: one.share)[rounds // 2]


def _overhead(loaded: LoadedCheckpoint, questions: int, clock: Clock) -> Overhead:
    start = clock()
    file_digests(loaded.checkpoint.path, find_weights(loaded.checkpoint.path).names, with_code=False)
    digest_s = clock() - start
    with tempfile.TemporaryDirectory() as folder, watching(loaded.model, clock) as watch:
        options = EvalOptions(
            num_fewshot=5, dtype="float32", device="cpu", meter="none", output=Path(folder), offline=True
        )

        def opened(_checkpoint: object, options: ModelOptions, **_rest: object) -> CausalModel:
            assert options.batch_tokens
            return CausalModel(loaded, batch_tokens=options.batch_tokens)

        with mock.patch("harness.engine.opening.open_model", opened):
            start = clock()
            record = evaluate(str(loaded.checkpoint.path), task="commonsense_qa", limit=questions, options=options)
            total_s = clock() - start
        requests = len(record.samples)
    return Overhead(requests=requests, total_s=total_s, forward_s=watch.forward_s, digest_s=digest_s)
