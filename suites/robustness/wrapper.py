"""Any task whose model answers a text, asked again with noise in that text: how much of the score is left?"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from typing_extensions import override

from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import TaskError
from harness.core.metrics import Metric
from harness.core.perturbations import MAX_SEVERITY, READ
from harness.core.requests import MultimodalGenerateUntil, MultimodalLoglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.reasons import Reason
from harness.tasks.wrapped import WrappedTask
from suites.robustness.attack import ROUNDS, TRIES, Tried, margin, next_tries
from suites.robustness.corruption import MEAN_CORRUPTION_ERROR, RELATIVE_CORRUPTION_ERROR
from suites.robustness.metrics import (
    ATTACK_QUERIES,
    ATTACK_SUCCESS_RATE,
    CLEAN_SCORE,
    CONSISTENCY,
    FLIP_RATE,
    NOISY_SCORE,
    RANDOM_SUCCESS_RATE,
    RELATIVE_DROP,
    SEVERITY_AREA,
    WORST_CASE_SCORE,
)
from suites.robustness.variants import (
    Noise,
    PictureNoise,
    TextNoise,
    Variant,
    in_samples,
    sample_perturbations,
    variants_of,
)

__all__ = ["ROBUSTNESS", "RobustnessTask"]

ROBUSTNESS = "robustness"
"""What stands before the colon: `robustness:piqa`."""

_SEVERITIES = tuple(range(1, MAX_SEVERITY + 1))
_SEEN = (MultimodalLoglikelihood, MultimodalGenerateUntil)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a task says of one way of asking a sample."""

    value: float | None
    said: str
    tie: bool
    invalid: str | None


class RobustnessTask(WrappedTask[Task]):
    """A task whose samples are asked as they are and with noise, of severity 1 to 5.

    What it measures. How the task's first metric falls as typing errors, scanning errors, odd layout, look-alike
    letters, other wording, other prompt labels, another order of the options and noise on the embeddings grow more; how
    often the answer changes; whether any variant of a sample turns it. At each severity a sample is asked in
    `per_severity` ways, each by another of the perturbations that apply to it, drawn by the run's seed and the sample.
    Then a search that learns from the answers tries to turn the right ones that still stand (see
    `attack_success_rate`).

    Why it matters. People mistype, scanners misread, and a prompt's labels are a matter of taste: an answer that hangs
    on them can't be relied upon. A test score says nothing about it.

    Limits. Severity is a tenth of the words (or marks, or spaces) a step, not equal harm: some perturbations take
    more away than others at the same severity, and severe ones can take a short question's meaning. Exemplars, choices
    and gold answers are never touched, nor words of the question that are a choice; in a task whose choices carry
    the meaning, such as PIQA, a model may do without the question. Of a pair of texts only the first is disturbed.
    A served model's embeddings are out of reach, so it is asked without noise on them, and so is every task about
    pictures.
    """

    metrics: Sequence[Metric] = (
        CLEAN_SCORE,
        NOISY_SCORE,
        RELATIVE_DROP,
        WORST_CASE_SCORE,
        FLIP_RATE,
        SEVERITY_AREA,
        CONSISTENCY,
        ATTACK_SUCCESS_RATE,
        RANDOM_SUCCESS_RATE,
        ATTACK_QUERIES,
    )

    def __init__(
        self,
        inner: Task,
        noise: Sequence[Noise] | None = None,
        *,
        severities: Sequence[int] = _SEVERITIES,
        per_severity: int = 2,
    ) -> None:
        super().__init__(ROBUSTNESS, inner)
        seen = any(issubclass(asked, _SEEN) for asked in inner.asks)
        usual = sample_perturbations(of_pictures=seen) if noise is None else in_samples(noise)
        # Models that read a picture by their own forward pass take no noise beside it, and all are asked the same.
        self.noise = tuple(one for one in usual if noise is not None or not (seen and one.on_embeddings))
        self.severities, self.per_severity = tuple(severities), per_severity
        self._refuse_unfit()
        self.default_limit = min(inner.default_limit, 60)

    @property
    @override
    def definition(self) -> Mapping[str, Any]:  # type: ignore[override]  # the perturbations may change
        return MappingProxyType(
            {
                "perturbations": [one.name for one in self.noise],
                "severities": list(self.severities),
                "per_severity": self.per_severity,
                "attack": {"rounds": ROUNDS, "tries": TRIES} if self._text_noise else None,
                "inner": dict(self.inner.definition),
            }
        )

    @property
    @override
    def code(self) -> Sequence[type]:
        """With that of the perturbations."""
        probes = [type(one.one) if isinstance(one, TextNoise | PictureNoise) else type(one) for one in self.noise]
        return (*super().code, *dict.fromkeys(probes))

    def configured(
        self, *, severities: Sequence[int] | None = None, perturbations: Sequence[str] | None = None
    ) -> Self:
        """The task with these severities (1 to 5) and registered perturbations only, where they are given.

        Raises `TaskError` for another severity or an empty list, `UnknownName`, `PluginError`.
        """
        other = copy(self)
        if severities is not None:
            other.severities = tuple(sorted(set(severities)))
        if perturbations is not None:
            other.noise = sample_perturbations(perturbations)
        other._refuse_unfit()
        return other

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        kind = registry.kind(checkpoint.kind)
        if not kind.takes_noise and all(one.on_embeddings for one in self.noise):
            return Reason("noise can't be put on the embeddings of a {kind}: they are out of reach", kind=kind.title)
        return super().refusal(checkpoint)

    @override
    def suited(self, checkpoint: Checkpoint) -> Self:
        """Without noise on embeddings that are out of reach."""
        other = super().suited(checkpoint)
        if not registry.kind(checkpoint.kind).takes_noise:
            other.noise = tuple(one for one in self.noise if not one.on_embeddings)
        return other

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The task's samples, but for those to which no perturbation applies. Raises `TaskError` where that is all."""
        found = []
        for sample in self.inner.samples(rows, settings):
            variants = variants_of(
                sample,
                self.inner.requests(sample),
                self.noise,
                severities=self.severities,
                per_severity=self.per_severity,
                seed=settings.seed,
            )
            if variants:
                found.append(replace(sample, fields={"inner": sample, "variants": variants, "seed": settings.seed}))
        self.data_digest = self.inner.data_digest
        if not found:
            raise TaskError(
                f"no sample of {self.inner.name} has a text of its own to disturb",
                place=self.name,
                fix="Use a task with a question in its prompt, such as piqa",
            )
        return found

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the sample as it is, then those of each variant."""
        noisy = [request for variant in sample.fields["variants"] for request in variant.requests]
        return [*self.inner.requests(sample.fields["inner"]), *noisy]

    @override
    def follow_up(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Request]:
        """What the search tries next, where a right answer still stands."""
        return [request for variant in self._searched(sample, responses)[2] for request in variant.requests]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        """Perturbation and severity, such as `keyboard_typos 3`, or the turn of the search."""
        variants: Sequence[Variant] = sample.fields["variants"]
        place = position // len(variants[0].requests)
        if place > len(variants):
            return f"search {place - len(variants)}"
        return f"{variants[place - 1].perturbation} {variants[place - 1].severity}" if place else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for the sample as it is and for each variant, and those that sum up all variants of the sample."""
        variants: Sequence[Variant] = sample.fields["variants"]
        answers, tried, _ = self._searched(sample, responses)
        clean, noisy = answers[0], answers[1:]
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster or f"sample {sample.id}")
        failed = next((answer.invalid for answer in answers if answer.invalid), None)
        if failed is not None:
            return [replace(blank, metric=metric.name, invalid=failed) for metric in self.metrics]
        scores = [replace(blank, metric=CLEAN_SCORE.name, value=clean.value, predicted=clean.said, tie=clean.tie)]
        for variant, answer in zip(variants, noisy, strict=True):
            scores += _of_variant(blank, variant, clean, answer)
        blank = replace(blank, tie=any(answer.tie for answer in answers))
        scores += [*_of_sample(blank, variants, clean, noisy), *_of_attack(blank, clean, tried, len(variants))]
        wanted = {metric.name for metric in self.metrics}
        return [score for score in scores if score.metric in wanted]

    @property
    def _text_noise(self) -> Sequence[TextNoise]:
        return [one for one in self.noise if isinstance(one, TextNoise)]

    def _searched(
        self, sample: Sample, responses: Sequence[Response]
    ) -> tuple[list[_Answer], list[Tried], list[Variant]]:
        """The answers to the sample and its variants, all that the search tried, and what it would try next."""
        inner, variants = sample.fields["inner"], sample.fields["variants"]
        size = len(variants[0].requests)
        parts = [responses[start : start + size] for start in range(0, len(responses), size)]
        first = 1 + len(variants)
        answers = [self._answer(inner, part) for part in parts[:first]]
        if any(answer.invalid for answer in answers):
            return answers, [], []
        value = answers[0].value or 0.0
        tried = [
            Tried(variant=variant, value=answer.value or 0.0, margin=margin(parts[0], part))
            for variant, answer, part in zip(variants, answers[1:], parts[1:first], strict=True)
        ]
        rest = parts[first:]
        for turn in range(ROUNDS):
            clean = value, margin(parts[0], parts[0])
            wanted = next_tries(inner, clean, tried, self._text_noise, sample.fields["seed"], turn)
            if not rest:
                return answers, tried, wanted
            for variant, part in zip(wanted, rest[: len(wanted)], strict=True):
                answer = self._answer(inner, part)
                # An answer that can't be used turns nothing.
                scored = value if answer.value is None else answer.value
                tried.append(Tried(variant=variant, value=scored, margin=margin(parts[0], part)))
            rest = rest[len(wanted) :]
        return answers, tried, []

    def _refuse_unfit(self) -> None:
        for asked in self.inner.asks:
            if asked not in READ:
                raise TaskError(
                    f"the task {self.inner.name} asks for {asked.kind}: noise is for answers to a text",
                    place=self.name,
                    fix="Use a task of multiple choice, of generation or of classification, such as piqa",
                )
        first = next(iter(self.inner.metrics), None)
        if first is None or first.direction != "higher":
            raise TaskError("the task's first metric is not one where higher is better", place=self.name)
        if not self.severities or not set(self.severities) <= set(_SEVERITIES):
            raise TaskError(
                f"the severities are {list(self.severities)}", place=self.name, fix="Take some of 1, 2, 3, 4 and 5"
            )
        if not self.noise:
            raise TaskError("no perturbation is left", place=self.name, fix="Name one, such as keyboard_typos")

    def _answer(self, sample: Sample, responses: Sequence[Response]) -> _Answer:
        first = self.inner.metrics[0].name
        score = next((score for score in self.inner.score(sample, responses) if score.metric == first), None)
        if score is None or (score.value is None and score.invalid is None):
            return _Answer(
                value=None, said="", tie=False, invalid=Reason("the task gives {metric} no number", metric=first)
            )
        said = str(score.value) if score.predicted is None else score.predicted
        return _Answer(value=score.value, said=said, tie=score.tie, invalid=score.invalid)


def _of_variant(blank: Score, variant: Variant, clean: _Answer, noisy: _Answer) -> list[Score]:
    assert clean.value is not None
    blank = replace(
        blank,
        value=noisy.value,
        predicted=noisy.said,
        tie=noisy.tie,
        groups={"severity": str(variant.severity), "perturbation": variant.perturbation},
    )
    flipped, tie = float(noisy.said != clean.said), clean.tie or noisy.tie
    return [
        replace(blank, metric=NOISY_SCORE.name),
        replace(blank, metric=RELATIVE_DROP.name, weight=clean.value, tie=tie),
        replace(blank, metric=FLIP_RATE.name, value=flipped, gold=clean.said, tie=tie),
        *_of_corruption(replace(blank, tie=tie), clean.value, noisy.value),
    ]


def _of_corruption(blank: Score, clean: float, noisy: float | None) -> list[Score]:
    """Errors are what scores that are shares lack."""
    if noisy is None:
        return []
    return [
        replace(blank, metric=MEAN_CORRUPTION_ERROR.name, value=1 - noisy),
        replace(blank, metric=RELATIVE_CORRUPTION_ERROR.name, value=clean - noisy),
    ]


def _of_sample(blank: Score, variants: Sequence[Variant], clean: _Answer, noisy: Sequence[_Answer]) -> list[Score]:
    before, after = clean.value or 0.0, [answer.value or 0.0 for answer in noisy]
    severities = sorted({one.severity for one in variants})
    by_severity = [
        fmean(value for value, one in zip(after, variants, strict=True) if one.severity == severity)
        for severity in severities
    ]
    area = float(np.trapezoid([before, *by_severity], [0, *severities])) / severities[-1]
    pairs = list(combinations([clean.said, *(answer.said for answer in noisy)], 2))
    return [
        replace(blank, metric=WORST_CASE_SCORE.name, value=min(before, *after)),
        replace(blank, metric=SEVERITY_AREA.name, value=area),
        replace(blank, metric=CONSISTENCY.name, value=fmean(one == other for one, other in pairs)),
    ]


def _of_attack(blank: Score, clean: _Answer, tried: Sequence[Tried], at_random: int) -> list[Score]:
    before = clean.value or 0.0
    if before <= 0:
        return []
    worse = [number for number, one in enumerate(tried, start=1) if one.value < before]
    found = [
        replace(blank, metric=ATTACK_SUCCESS_RATE.name, value=float(bool(worse))),
        replace(blank, metric=RANDOM_SUCCESS_RATE.name, value=float(bool(worse) and worse[0] <= at_random)),
    ]
    if worse:
        found.append(replace(blank, metric=ATTACK_QUERIES.name, value=float(worse[0])))
    return found
