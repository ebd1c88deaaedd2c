"""From one request to its attribution: the decision, what each method says of it, and what comes of trying that."""

import logging
import math
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from accelerate.utils.memory import should_reduce_batch_size
from captum.metrics import infidelity, sensitivity_max
from numpy.typing import NDArray
from scipy.special import expit

from harness.core.attributions import (
    RANDOM,
    Ablated,
    AblationMethod,
    Attribution,
    AttributionSettings,
    GradientMethod,
    MethodResult,
)
from harness.core.models import Model
from harness.core.process.heap import give_back
from harness.core.requests import Attribute
from harness.core.text.reasons import Reason
from harness.engine.attribution.ablations import Ablations, Decision, Kept, Spent, Unusable, Values
from harness.engine.attribution.whitebox import EmbeddedDecision, WhiteBox
from harness.engine.halving import NO_MEMORY

__all__ = ["Explainer", "unit_ranking"]

_log = logging.getLogger(__name__)

Method = AblationMethod | GradientMethod

_COARSE_STEPS = 8
"""Points of integrated gradients for what is only compared: under noise, or under random weights."""

_SAME = 1e-4
"""Values that differ by less than this share of the largest are the same, whatever the rounding."""


def unit_ranking(values: Sequence[float]) -> NDArray[np.intp]:
    """The units from the most important to the least; those that only rounding tells apart in the text's order."""
    found = np.asarray(values, dtype=float)
    order = np.argsort(-found, kind="stable")
    steps = -np.diff(found[order], prepend=found[order[:1]])
    level = np.empty(len(found), dtype=int)
    level[order] = np.cumsum(steps > _SAME * max(np.abs(found).max(initial=0.0), np.finfo(float).tiny))
    return np.lexsort((np.arange(len(found)), level))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Explains decisions of `model` by `methods`; `box` opens it, None where it can't be opened.

    Of requests in `planned_ids` the model forgets nothing: a task asks them too.
    """

    model: Model
    methods: Sequence[Method]
    box: WhiteBox | None
    planned_ids: AbstractSet[str] = frozenset()

    def explain(self, request: Attribute, units: Sequence[str]) -> Attribution:
        """Everything about one request. Raises `Unusable` where its decision can't be explained."""
        settings, count = request.settings, len(units)
        removed = _removals(count, settings)
        spent = Spent()
        with self._asking(request, units, spent) as ablations:
            ablations.ask(np.concatenate([_ends(count), ~removed, *self._questions(count, settings)]))
            decision = ablations.decision()
            function = ablations.log_odds(decision)
            embedded = self._embedded(request, units, decision)
            found = {**self._values(function, embedded, count, settings), RANDOM: _chance(count, settings)}
            rows = {name: [_tried(one, settings) for one in values] for name, values in found.items()}
            ablations.ask(np.concatenate([row for each in rows.values() for row in each]))
        randomised = self._randomised(request, units, decision, embedded, spent) if settings.randomise else {}
        unsteady = self._max_sensitivities(embedded, settings)
        gaps = self._completeness_gaps(function, embedded, found)
        probabilities = {name: np.mean([expit(function(row)) for row in each], axis=0) for name, each in rows.items()}
        whole, empty = expit(function(_ends(count)))
        half = len(settings.fractions)
        return Attribution(
            decision=decision.index,
            target=decision.target,
            tie=decision.tie,
            probability=float(whole),
            empty_probability=float(empty),
            units=tuple(units),
            methods=tuple(
                MethodResult(
                    name=name,
                    values=_floats(values[0]),
                    deletion=_floats(probabilities[name][:half]),
                    insertion=_floats(probabilities[name][half:]),
                    infidelity=_infidelity(function, removed, values[0]),
                    max_sensitivity=unsteady.get(name),
                    randomised=randomised.get(name),
                    completeness_gap=gaps.get(name),
                )
                for name, values in found.items()
            ),
            evaluation_count=len(ablations),
            pass_count=embedded.pass_count if embedded else 0,
            asked_token_count=spent.asked,
            computed_token_count=spent.computed,
        )

    @contextmanager
    def _asking(self, request: Attribute, units: Sequence[str], spent: Spent) -> Iterator[Ablations]:
        """Asks about one request's texts; what the model kept of them is gone afterwards."""
        ablations = Ablations(request, units, self.model, spent)
        try:
            yield ablations
        finally:
            if self.box:
                self.box.forget(ablations.asked_ids - self.planned_ids)

    def _questions(self, count: int, settings: AttributionSettings) -> list[Kept]:
        """The subsets that the methods ask about, learnt by asking them with answers that are all 0."""
        asked: list[Kept] = []

        def recorder(kept: Kept) -> Values:
            asked.append(kept)
            return np.zeros(len(kept))

        for method in self.methods:
            if not method.needs_gradients:
                method.attribute(recorder, count, settings)
        return asked

    def _embedded(self, request: Attribute, units: Sequence[str], decision: Decision) -> EmbeddedDecision | None:
        if not any(method.needs_gradients for method in self.methods):
            return None
        if self.box is None:
            raise Unusable("this model gives no gradients")
        return self.box.embedded(request, units, decision)

    def _values(
        self,
        function: Ablated,
        embedded: EmbeddedDecision | None,
        count: int,
        settings: AttributionSettings,
    ) -> dict[str, NDArray[np.float64]]:
        """The values of each method, of shape (1, units)."""
        found: dict[str, NDArray[np.float64]] = {}
        for method in self.methods:
            if not method.needs_gradients:
                values = np.array([method.attribute(function, count, settings)], dtype=float)
            else:
                assert embedded is not None
                values = _at_embeddings(method, embedded, settings).double().cpu().numpy()
            if not np.isfinite(values).all():
                raise Unusable(Reason("{method} gives values that are NaN or infinite", method=method.name))
            found[method.name] = values
        return found

    def _completeness_gaps(
        self, function: Ablated, embedded: EmbeddedDecision | None, found: dict[str, NDArray[np.float64]]
    ) -> dict[str, float]:
        """By method whose values have a sum that is known: see `MethodResult`."""
        gaps = {}
        for method in self.methods:
            if not getattr(method, "complete", False):
                continue
            values = found[method.name][0]
            if method.needs_gradients:
                assert embedded is not None
                given = embedded.embeddings
                with torch.no_grad():
                    whole, empty = (float(embedded(one)[0]) for one in (given, torch.zeros_like(given)))
            else:
                whole, empty = function(_ends(len(values))).tolist()
            gaps[method.name] = abs(float(values.sum()) - (whole - empty)) / max(abs(whole - empty), 1.0)
        return gaps

    def _randomised(
        self,
        request: Attribute,
        units: Sequence[str],
        decision: Decision,
        embedded: EmbeddedDecision | None,
        spent: Spent,
    ) -> dict[str, tuple[float, ...]]:
        """The values of each method under random weights; none where those give numbers that can't be used."""
        if self.box is None:
            return {}
        count, settings = len(units), _coarse(request.settings)
        give_back()  # a second set of weights comes into memory beside whatever was used so far
        try:
            with self.box.randomised(settings.seed), self._asking(request, units, spent) as ablations:
                ablations.ask(np.concatenate([_ends(count), *self._questions(count, settings)]))
                found = self._values(ablations.log_odds(decision), embedded, count, settings)
        except Unusable as reason:
            _log.info("no attributions under random weights: %s", reason)
            return {}
        return {name: _floats(values[0]) for name, values in found.items()}

    def _max_sensitivities(self, embedded: EmbeddedDecision | None, settings: AttributionSettings) -> dict[str, float]:
        """By method that follows gradients, captum's `sensitivity_max` over noise on the embeddings."""
        if embedded is None or not settings.noises:
            return {}
        given, settings = embedded.embeddings, _coarse(settings)
        radius = settings.noise_radius * float(given.float().square().mean().sqrt())
        found = {}
        for method in self.methods:
            if method.needs_gradients:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(settings.seed)
                    most = sensitivity_max(
                        partial(_explained, method, embedded, settings),
                        given,
                        perturb_radius=radius,
                        n_perturb_samples=settings.noises,
                        max_examples_per_batch=max(min(settings.noises, embedded.rows_at_once), 1),
                    )
                found[method.name] = float(most)
        return found


def _coarse(settings: AttributionSettings) -> AttributionSettings:
    return replace(settings, steps=min(settings.steps, _COARSE_STEPS))


def _at_embeddings(method: GradientMethod, embedded: EmbeddedDecision, settings: AttributionSettings) -> Any:
    """The method's values for the text as it is; with half as many rows at once where the memory doesn't suffice."""
    while True:
        try:
            return method.attribute_at(embedded, embedded.embeddings, settings).detach()
        except Exception as error:
            if isinstance(error, MemoryError) or should_reduce_batch_size(error):
                if embedded.halve():
                    continue
                raise Unusable(NO_MEMORY) from error
            if isinstance(error, RuntimeError):
                # What torch says of weights, or of code, that gradients can't pass: each in its own words.
                first = str(error).splitlines()[0]
                raise Unusable(
                    Reason("no gradient can be computed through this model: {error}", error=first)
                ) from error
            raise


def _explained(method: GradientMethod, embedded: EmbeddedDecision, settings: AttributionSettings, given: Any) -> Any:
    """What captum calls: the first time with a tuple of one tensor, and it wants one back."""
    if isinstance(given, tuple):
        return (_explained(method, embedded, settings, given[0]),)
    return method.attribute_at(embedded, given, settings).detach()


def _infidelity(function: Ablated, removed: Kept, values: NDArray[np.float64]) -> float:
    """captum's `infidelity`, scale apart, over units removed at random."""
    taken = torch.from_numpy(removed).float()

    def remove(kept: Any) -> tuple[Any, Any]:
        return taken, kept - taken

    def forward(kept: Any) -> Any:
        return torch.from_numpy(function(kept.numpy() > 0))  # float64, as the sums are of squares

    given = torch.ones(1, len(values), dtype=torch.float64)
    found = infidelity(
        forward, remove, given, torch.from_numpy(values)[None], n_perturb_samples=len(removed), normalize=True
    )
    return max(float(found), 0.0)


def _removals(count: int, settings: AttributionSettings) -> Kept:
    """Random subsets to take out, from one unit to all: every size is as likely."""
    rng = np.random.default_rng([settings.seed, 1])
    sizes = rng.integers(1, count, size=settings.removals, endpoint=True)
    ranks = rng.random((settings.removals, count)).argsort(axis=1)
    return np.asarray(ranks < sizes[:, None])


def _chance(count: int, settings: AttributionSettings) -> NDArray[np.float64]:
    """Values drawn at random, of shape (orders, units)."""
    return np.random.default_rng([settings.seed, 2]).random((settings.random_orders, count))


def _ends(count: int) -> Kept:
    """All units, then none."""
    return np.array([[True] * count, [False] * count])


def _tried(values: NDArray[np.float64], settings: AttributionSettings) -> Kept:
    """The units less the most important ones, for each fraction, then those alone."""
    order = unit_ranking(values.tolist())
    without = np.ones((len(settings.fractions), len(values)), dtype=bool)
    for row, fraction in zip(without, settings.fractions, strict=True):
        row[order[: math.ceil(round(fraction * len(values), 9))]] = False
    return np.concatenate([without, ~without])


def _floats(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(float, values))
