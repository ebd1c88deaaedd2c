"""Any multiple-choice or classification task, judged by how well its model's decisions can be explained."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.stats import rankdata
from typing_extensions import override

from harness.core import registry
from harness.core.attributions import RANDOM, Attribution, AttributionSettings, MethodResult
from harness.core.checkpoints import Checkpoint
from harness.core.errors import TaskError
from harness.core.metrics import Metric
from harness.core.requests import Attribute, Classify, Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.reasons import Reason
from harness.tasks.wrapped import WrappedTask, common_beginning
from suites.explainability.metrics import (
    AOPC_COMPREHENSIVENESS,
    AOPC_SUFFICIENCY,
    ATTRIBUTION_METRICS,
    COMPLETENESS_GAP,
    COMPREHENSIVENESS_LIFT,
    CONVERGED,
    DELETION_AREA,
    INFIDELITY,
    INSERTION_AREA,
    MAX_SENSITIVITY,
    RANDOM_WEIGHTS_CORRELATION,
    RANK_AGREEMENT,
    SUFFICIENCY_LIFT,
    TOP_AGREEMENT,
)

__all__ = ["ATTRIBUTION", "AttributionTask"]

ATTRIBUTION = "attribution"
"""What stands before the colon: `attribution:piqa`."""

_EVERY = 4
"""Of so many samples, one is also asked under random weights and with noise on its embeddings."""
_NOISES = 3
_TEMPLATE_SAMPLES = 200
_TOP = 0.25

Values = Sequence[float]


class AttributionTask(WrappedTask[Task]):
    """A task whose model is asked what in the text made it decide, by several methods; each is tried on the model.

    What it measures. Whether the words that a method names are those that matter: does the decision's probability fall
    without them (comprehensiveness) and stay with them alone (sufficiency), more than by chance? How well do the values
    foretell what taking out other words does (infidelity), do they hold still (max-sensitivity), do the methods agree,
    and do the values hang on what the model has learnt (random weights)? The decision is the model's own, right or
    wrong: the likeliest choice, or the classifier's label. Explained are its log-odds against the other choices.

    Why it matters. An explanation is believed because it reads well. One that doesn't hold on the model misleads those
    who check it, appeal against it, or mend it.

    Limits. Taking words out makes texts that nobody would write. Only the text of a sample is explained, not the
    exemplars, the words that all samples share, or the choices. A faithful explanation is one of this model, not of
    the world. Long texts are explained by runs of words.
    """

    metrics: Sequence[Metric] = ATTRIBUTION_METRICS

    def __init__(self, inner: Task, *, methods: Sequence[str] = (), max_units: int = 20) -> None:
        super().__init__(ATTRIBUTION, inner)
        if not inner.asks or not all(issubclass(asked, Loglikelihood | Classify) for asked in inner.asks):
            raise TaskError(
                f"the task {inner.name} makes no decision between choices or labels",
                place=self.name,
                fix="Use a task of multiple choice or of classification, such as piqa",
            )
        self.asks = (Attribute, *inner.asks)
        self.methods = tuple(methods) or tuple(registry.names("harness.attributions"))
        self.max_units = max_units
        self.default_limit = min(inner.default_limit, 10)
        self.definition: Mapping[str, Any] = MappingProxyType(
            {"methods": list(self.methods), "max_units": max_units, "inner": dict(inner.definition)}
        )

    @property
    @override
    def scripts(self) -> Sequence[Path]:
        """With those of the methods, which the model runs and not this task."""
        found = (registry.source("harness.attributions", name) for name in self.methods)
        return (*super().scripts, *dict.fromkeys(file for file in found if file))

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        """The inner task's, and that of a classifier that gives no single label."""
        problem = checkpoint.config.get("problem_type")
        if problem in ("multi_label_classification", "regression"):
            return Reason(
                "an explained decision is one label of several, and its problem_type is {problem}", problem=problem
            )
        return self.inner.refusal(checkpoint)

    @override
    def suited(self, checkpoint: Checkpoint) -> "AttributionTask":
        """Without the methods that take gradients where the weights are quantised."""
        other = super().suited(checkpoint)
        if checkpoint.config.get("quantization_config"):
            group = "harness.attributions"
            other.methods = tuple(name for name in self.methods if not registry.load(group, name).needs_gradients)
        return other

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The task's samples, each with where its own text lies.

        Raises `TaskError` where one has none, and `PluginError` for a method that can't be used: before a model is
        loaded.
        """
        for name in self.methods:
            registry.check("harness.attributions", name)
        wide = None if settings.limit is None else max(settings.limit, _TEMPLATE_SAMPLES)
        texts = [self._question(sample) for sample in self.inner.samples(rows, replace(settings, limit=wide))]
        before, after = _template(texts)
        found = []
        for index, sample in enumerate(self.inner.samples(rows, settings)):
            start = sample.question_start + before
            fields = {
                "inner": sample,
                "span": (start, max(start, sample.question_start + len(self._question(sample)) - after)),
                "seed": Random(f"{settings.seed}:{sample.id}:{ATTRIBUTION}").getrandbits(32),
                "examined": index % _EVERY == 0,
            }
            found.append(replace(sample, fields=fields))
        self.data_digest = self.inner.data_digest
        return found

    @override
    def requests(self, sample: Sample) -> Sequence[Attribute]:
        """One request: the decision, what explains it, and what comes of trying that."""
        inner, fields = self.inner.requests(sample.fields["inner"]), sample.fields
        first, (start, stop) = inner[0], fields["span"]
        asked = Attribute(
            context=_context(first),
            continuations=tuple(one.continuation for one in inner if isinstance(one, Loglikelihood)),
            text_pair=first.text_pair if isinstance(first, Classify) else None,
            start=start,
            stop=stop,
            max_units=self.max_units,
            methods=self.methods,
            settings=AttributionSettings(
                seed=fields["seed"], noises=_NOISES * fields["examined"], randomise=fields["examined"]
            ),
            chat=first.chat if isinstance(first, Loglikelihood) else None,
        )
        return [asked]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Scores by method; each metric has one a sample and method, where it was measured."""
        (response,) = responses
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster)
        found = response.attribution
        if found is None:
            reason = response.invalid or "the model explained nothing"
            return [
                replace(blank, metric=metric.name, groups=dict(metric.main_group), invalid=reason)
                for metric in self.metrics
            ]
        (asked,) = self.requests(sample)
        blank = replace(blank, predicted=found.target, tie=found.tie)
        return [
            replace(blank, metric=metric.name, value=value, groups={"method": method})
            for metric, method, value in _measured(found, asked.settings)
        ]

    def _question(self, sample: Sample) -> str:
        """The text that the requests of a sample share, after its exemplars. Raises `TaskError` where there's none."""
        contexts = {_context(request) for request in self.inner.requests(sample)}
        if len(contexts) != 1:
            raise TaskError(
                f"the choices of {self.inner.name} follow different texts: there is no one text to explain",
                place=self.name,
                fix="Use a task whose choices follow one question, such as piqa",
            )
        return contexts.pop()[sample.question_start :]


def _context(request: Request) -> str:
    assert isinstance(request, Loglikelihood | Classify)
    return request.context if isinstance(request, Loglikelihood) else request.text


def _template(texts: Sequence[str]) -> tuple[int, int]:
    """How many characters all texts begin with, and end with, up to the last space or line between the words."""
    if len(texts) < 2:
        return 0, 0
    before = common_beginning(texts)
    after = common_beginning([text[len(before) :][::-1] for text in texts])[::-1]
    start = max(before.rfind(mark) for mark in " \n") + 1
    stops = [at for mark in " \n" if (at := after.find(mark)) >= 0]
    return start, len(after) - min(stops) if stops else 0


def _measured(found: Attribution, settings: AttributionSettings) -> Iterator[tuple[Metric, str, float]]:
    chance = next(method for method in found.methods if method.name == RANDOM)
    methods = [method for method in found.methods if method is not chance]
    for method in found.methods:
        yield from ((metric, method.name, value) for metric, value in _faithful(found, method, settings.fractions))
        if method is chance:
            continue
        if method.completeness_gap is not None:
            yield COMPLETENESS_GAP, method.name, method.completeness_gap
            yield CONVERGED, method.name, float(method.completeness_gap <= settings.largest_gap)
        yield COMPREHENSIVENESS_LIFT, method.name, fmean(chance.deletion) - fmean(method.deletion)
        yield SUFFICIENCY_LIFT, method.name, fmean(method.insertion) - fmean(chance.insertion)
        others = [other.values for other in methods if other is not method]
        yield from ((metric, method.name, value) for metric, value in _agreement(method.values, others))
        if method.randomised is not None:
            correlation = _spearman(method.values, method.randomised)
            if correlation is not None:
                yield RANDOM_WEIGHTS_CORRELATION, method.name, correlation


def _faithful(found: Attribution, method: MethodResult, fractions: Sequence[float]) -> Iterator[tuple[Metric, float]]:
    whole, empty = found.probability, found.empty_probability
    yield AOPC_COMPREHENSIVENESS, whole - fmean(method.deletion)
    yield AOPC_SUFFICIENCY, whole - fmean(method.insertion)
    places = [0.0, *fractions, 1.0]
    yield DELETION_AREA, float(np.trapezoid([whole, *method.deletion, empty], places))
    yield INSERTION_AREA, float(np.trapezoid([empty, *method.insertion, whole], places))
    if method.infidelity is not None:
        yield INFIDELITY, method.infidelity
    if method.max_sensitivity is not None:
        yield MAX_SENSITIVITY, method.max_sensitivity


def _agreement(values: Values, others: Sequence[Values]) -> Iterator[tuple[Metric, float]]:
    """With the other methods, where there are any and they tell the units apart."""
    correlations = [found for other in others if (found := _spearman(values, other)) is not None]
    if correlations:
        yield RANK_AGREEMENT, fmean(correlations)
    if others:
        count = math.ceil(_TOP * len(values))
        top = _top(values, count)
        yield TOP_AGREEMENT, fmean(len(top & _top(other, count)) / count for other in others)


def _top(values: Values, count: int) -> set[int]:
    return set(np.argsort(-np.asarray(values), kind="stable")[:count].tolist())


def _spearman(one: Values, other: Values) -> float | None:
    """Spearman's rank correlation; None where one has the same value everywhere."""
    first, second = rankdata(one), rankdata(other)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])
