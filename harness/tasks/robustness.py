"""Any task whose model answers a text, asked again with noise in that text: how much of the score is left?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from statistics import fmean
from types import MappingProxyType
from typing import Any

import numpy as np

from harness.core import registry
from harness.core.errors import PluginError, TaskError
from harness.core.perturbations import MAX_SEVERITY, Perturbation
from harness.core.requests import Classify, GenerateUntil, Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.tasks.robustness_metrics import (
    ATTACK_QUERIES,
    ATTACK_SUCCESS_RATE,
    CLEAN_SCORE,
    CONSISTENCY,
    FLIP_RATE,
    NOISY_SCORE,
    RELATIVE_DROP,
    SEVERITY_AREA,
    WORST_CASE_SCORE,
)
from harness.tasks.wrapped import WrappedTask, common_beginning

__all__ = ["ROBUSTNESS", "RobustnessTask", "Variant", "perturbations"]

ROBUSTNESS = "robustness"
"""What stands before the colon: `robustness:piqa`."""

_DISTURBED: Mapping[type[Request], str] = {Loglikelihood: "context", GenerateUntil: "context", Classify: "text"}
"""The field of each kind of request that holds the text to disturb."""

_SEVERITIES = range(1, MAX_SEVERITY + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A sample with noise in it: what is asked about it."""

    perturbation: str
    severity: int
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a task says of one way of asking a sample."""

    value: float | None
    said: str
    tie: bool
    invalid: str | None


class RobustnessTask(WrappedTask[Task]):
    """A task whose samples are asked as they are and with noise in their texts, of severity 1 to 5.

    What it measures. How the task's first metric falls as typing errors, scanning errors, odd layout, look-alike
    letters, other wording and other prompt labels grow more; how often the answer changes; whether any variant of a
    sample turns it. At each severity a sample is asked in `per_severity` ways, each by another of the perturbations
    that apply to its text, drawn by the run's seed and the sample.

    Why it matters. People mistype, scanners misread, and a prompt's labels are a matter of taste: an answer that hangs
    on them can't be relied upon. A test score says nothing about it.

    Limits. Severity is a tenth of the words (or marks, or spaces) a step, not equal harm: some perturbations take
    more away than others at the same severity, and severe ones can take a short question's meaning. Exemplars, choices
    and gold answers are never touched, nor words of the question that are a choice; in a task whose choices carry
    the meaning, such as PIQA, a model may do without the question. Of a pair of texts only the first is disturbed.
    """

    metrics = (
        CLEAN_SCORE,
        NOISY_SCORE,
        RELATIVE_DROP,
        WORST_CASE_SCORE,
        FLIP_RATE,
        SEVERITY_AREA,
        CONSISTENCY,
        ATTACK_SUCCESS_RATE,
        ATTACK_QUERIES,
    )

    def __init__(self, inner: Task, noise: Sequence[Perturbation], *, per_severity: int = 2) -> None:
        super().__init__(ROBUSTNESS, inner)
        self.noise, self.per_severity = tuple(noise), per_severity
        self._refuse_unfit()
        self.default_limit = min(inner.default_limit, 60)
        self.definition: Mapping[str, Any] = MappingProxyType(
            {
                "perturbations": [one.name for one in self.noise],
                "per_severity": per_severity,
                "inner": dict(inner.definition),
            }
        )

    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The task's samples, but for those to which no perturbation applies. Raises `TaskError` where that is all."""
        found = []
        for sample in self.inner.samples(rows, settings):
            variants = self._variants(sample, settings.seed)
            if variants:
                found.append(replace(sample, fields={"inner": sample, "variants": variants}))
        self.data_digest = self.inner.data_digest
        if not found:
            raise TaskError(
                f"no sample of {self.inner.name} has a text of its own to disturb",
                place=self.name,
                fix="Take a task with a question in its prompt, such as piqa",
            )
        return found

    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the sample as it is, then those of each variant."""
        noisy = [request for variant in sample.fields["variants"] for request in variant.requests]
        return [*self.inner.requests(sample.fields["inner"]), *noisy]

    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for the sample as it is and for each variant, and those that sum up all variants of the sample."""
        inner: Sample = sample.fields["inner"]
        variants: Sequence[Variant] = sample.fields["variants"]
        size = len(responses) // (len(variants) + 1)
        answers = [self._answer(inner, responses[start : start + size]) for start in range(0, len(responses), size)]
        clean, noisy = answers[0], answers[1:]
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster or f"sample {sample.id}")
        failed = next((answer.invalid for answer in answers if answer.invalid), None)
        if failed is not None:
            return [replace(blank, metric=metric.name, invalid=failed) for metric in self.metrics]
        scores = [replace(blank, metric=CLEAN_SCORE.name, value=clean.value, predicted=clean.said, tie=clean.tie)]
        for variant, answer in zip(variants, noisy, strict=True):
            scores += _of_variant(blank, variant, clean, answer)
        return [*scores, *_of_sample(blank, variants, clean, noisy)]

    def _refuse_unfit(self) -> None:
        for asked in self.inner.asks:
            if asked not in _DISTURBED:
                raise TaskError(
                    f"the task {self.inner.name} asks for {asked.kind}: noise is for answers to a text",
                    place=self.name,
                    fix="Take a task of multiple choice, of generation or of classification, such as piqa",
                )
        first = next(iter(self.inner.metrics), None)
        if first is None or first.direction != "higher":
            raise TaskError("the task's first metric is none of which more is better", place=self.name)

    def _variants(self, sample: Sample, seed: int) -> tuple[Variant, ...]:
        """`per_severity` variants for each severity, from mild to severe, each by the next one that applies."""
        asked = self.inner.requests(sample)
        text = _own_text(sample, asked)
        if not text.strip():
            return ()
        order = Random(f"{seed}:{sample.id}:{ROBUSTNESS}").sample(self.noise, len(self.noise))
        applying = [one for one in order if self._disturb(one, text, sample, seed, MAX_SEVERITY) != text]
        found = []
        for severity in _SEVERITIES if applying else ():
            turns = range((severity - 1) * self.per_severity, severity * self.per_severity)
            for one in dict.fromkeys(applying[turn % len(applying)] for turn in turns):
                noisy = self._disturb(one, text, sample, seed, severity)
                requests = tuple(_put(request, sample.question_start, text, noisy) for request in asked)
                found.append(Variant(perturbation=one.name, severity=severity, requests=requests))
        return tuple(found)

    def _disturb(self, one: Perturbation, text: str, sample: Sample, seed: int, severity: int) -> str:
        """The text disturbed, answers that it names left alone: placeholders stand for them while it happens."""
        masked, hidden = _masked(text, [*sample.choices, *([sample.gold] if isinstance(sample.gold, str) else [])])
        noisy = one.perturb(masked, Random(f"{seed}:{sample.id}:{one.name}"), severity)
        for mask, words in hidden.items():
            if noisy.count(mask) != 1:
                raise PluginError("the perturbation changed a placeholder", place=one.name, fix="Mend or uninstall it")
            noisy = noisy.replace(mask, words)
        return noisy

    def _answer(self, sample: Sample, responses: Sequence[Response]) -> _Answer:
        first = self.inner.metrics[0].name
        score = next((score for score in self.inner.score(sample, responses) if score.metric == first), None)
        if score is None or (score.value is None and score.invalid is None):
            return _Answer(value=None, said="", tie=False, invalid=f"the task gives {first} no number")
        said = str(score.value) if score.predicted is None else score.predicted
        return _Answer(value=score.value, said=said, tie=score.tie, invalid=score.invalid)


def perturbations() -> list[Perturbation]:
    """Every registered perturbation, by name. Raises `PluginError`."""
    group = "harness.perturbations"
    return [registry.load(group, name, "perturbation")() for name in registry.names(group)]


def _own_text(sample: Sample, asked: Sequence[Request]) -> str:
    """What all requests of a sample begin with after the exemplars, in whole words."""
    texts = [str(getattr(request, _DISTURBED[type(request)])) for request in asked]
    common = common_beginning(texts)
    if len(max(texts, key=len)) > len(common):
        common = common[: max(common.rfind(" "), common.rfind("\n")) + 1]
    return common[sample.question_start :]


def _masked(text: str, answers: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The text with a placeholder for each answer that it names in whole words, and what each stands for.

    A single letter is the name of an option, and too common a word to be looked for.
    """
    names = sorted({one for one in answers if len(one) > 1 or one.isdigit()}, key=lambda one: (-len(one), one))
    if not names:
        return text, {}
    hidden: dict[str, str] = {}

    def mask(found: re.Match[str]) -> str:
        name = f"{{answer_{len(hidden)}}}"
        hidden[name] = found[0]
        return name

    pattern = rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, names))})(?![A-Za-z0-9])"
    return re.sub(pattern, mask, text), hidden


def _put(request: Request, start: int, text: str, noisy: str) -> Request:
    """The request with `noisy` in the place of `text`, which begins at `start`."""
    field = _DISTURBED[type(request)]
    whole = getattr(request, field)
    return replace(request, **{field: whole[:start] + noisy + whole[start + len(text) :]})


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
    ]


def _of_sample(blank: Score, variants: Sequence[Variant], clean: _Answer, noisy: Sequence[_Answer]) -> list[Score]:
    before, after = clean.value or 0.0, [answer.value or 0.0 for answer in noisy]
    by_severity = [
        fmean(value for value, one in zip(after, variants, strict=True) if one.severity == severity)
        for severity in _SEVERITIES
    ]
    pairs = list(combinations([clean.said, *(answer.said for answer in noisy)], 2))
    blank = replace(blank, tie=any(answer.tie for answer in (clean, *noisy)))
    scores = [
        replace(blank, metric=WORST_CASE_SCORE.name, value=min(before, *after)),
        replace(blank, metric=SEVERITY_AREA.name, value=float(np.trapezoid([before, *by_severity])) / MAX_SEVERITY),
        replace(blank, metric=CONSISTENCY.name, value=fmean(one == other for one, other in pairs)),
    ]
    if before > 0:
        worse = [tried for tried, value in enumerate(after, start=1) if value < before]
        scores.append(replace(blank, metric=ATTACK_SUCCESS_RATE.name, value=float(bool(worse))))
        if worse:
            scores.append(replace(blank, metric=ATTACK_QUERIES.name, value=float(worse[0])))
    return scores
