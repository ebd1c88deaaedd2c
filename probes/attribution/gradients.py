"""Methods that follow gradients back to the embeddings: integrated gradients, and gradient x input."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from typing_extensions import override

from harness.core.attributions import AttributionSettings, Embedded, GradientMethod

__all__ = ["GradientXInput", "IntegratedGradients"]

_ENDS = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0)
"""Where the first parts of the path end: models that normalise their states change the most near the baseline."""

_FEW_ENDS = (0.0, 1 / 16, 1.0)
"""Those of two parts, where fewer gradients are allowed than the first parts take."""

_ORDER = 4
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(_ORDER)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the path: its contribution to each row's units, the log-odds at both ends, and what these don't share.

    `gap` is the largest absolute difference, over the rows, between the sum of the units and that of the log-odds.
    """

    start: float
    end: float
    by_unit: Any
    odds: tuple[Any, Any]

    @property
    def gap(self) -> float:
        first, last = self.odds
        return float((self.by_unit.sum(dim=-1) - (last - first)).abs().max())


class IntegratedGradients(GradientMethod):
    """Gradients along the straight line from embeddings of zero to the text's, times the embeddings.

    Sundararajan et al., "Axiomatic Attribution for Deep Networks" (2017), whose baseline for texts is all zeros. Only
    the units explained go to zero, the rest of the prompt stays. A unit's value is the sum over its tokens and their
    dimensions. By completeness the values sum to the log-odds of the text less those of the baseline, and so they do on
    every part of the line: parts are halved, those with the largest gap first, until the gaps of all together are at
    most `largest_gap` of that difference (or of a nat, if it is less), or `steps` gradients are taken. Four points a
    part by Gauss-Legendre quadrature.
    """

    name = "integrated_gradients"
    needs_gradients: Literal[True] = True
    complete = True

    @override
    def attribute_at(self, embedded: Embedded, embeddings: Any, settings: AttributionSettings) -> Any:
        line = _Line(embedded, embeddings)
        ends = _ENDS if settings.steps >= _ORDER * (len(_ENDS) - 1) else _FEW_ENDS
        parts = line.parts(list(pairwise(ends)), line.odds(ends))
        while line.steps < settings.steps:
            whole = (parts[-1].odds[1] - parts[0].odds[0]).abs().min()
            allowed = settings.largest_gap * max(float(whole), 1.0)
            if sum(part.gap for part in parts) <= allowed:
                break
            wide = [part for part in parts if part.gap > allowed / len(parts)]
            new = line.halved(sorted(wide, key=lambda part: -part.gap)[: _fitting(settings.steps - line.steps)])
            halved = {part.start for part in new[::2]}
            parts = sorted([*new, *(part for part in parts if part.start not in halved)], key=lambda part: part.start)
        return sum(part.by_unit for part in parts)


def _fitting(steps: int) -> int:
    return max(steps // (2 * _ORDER), 1)


class _Line:
    """The line from the baseline to the embeddings; counts the points at which gradients are taken."""

    def __init__(self, embedded: Embedded, embeddings: Any) -> None:
        self._embedded, self._embeddings = embedded, embeddings.detach()
        self.steps = 0

    def odds(self, places: Sequence[float]) -> list[Any]:
        """The log-odds at each place, of shape (rows)."""
        with torch.no_grad():
            found = torch.cat([self._embedded(points) for points in self._at(places)])
        return list(found.reshape(len(places), -1))

    def parts(self, spans: Sequence[tuple[float, float]], ends: Sequence[Any]) -> list[_Part]:
        """Adjoining parts of the line, given the log-odds at all of their ends."""
        sums = self._integrals(spans)
        return [
            _Part(start, end, by_unit, odds)
            for (start, end), by_unit, odds in zip(spans, sums, pairwise(ends), strict=True)
        ]

    def halved(self, parts: Sequence[_Part]) -> list[_Part]:
        """Each part as two."""
        middles = [(part.start + part.end) / 2 for part in parts]
        spans = [
            span
            for part, middle in zip(parts, middles, strict=True)
            for span in ((part.start, middle), (middle, part.end))
        ]
        sums, odds = self._integrals(spans), self.odds(middles)
        ends = [
            pair
            for part, middle in zip(parts, odds, strict=True)
            for pair in pairwise((part.odds[0], middle, part.odds[1]))
        ]
        return [_Part(*span, by_unit, pair) for span, by_unit, pair in zip(spans, sums, ends, strict=True)]

    def _integrals(self, spans: Sequence[tuple[float, float]]) -> Any:
        """Of the gradients times the embeddings, for each part and row by unit."""
        places = [(start + end) / 2 + node * (end - start) / 2 for start, end in spans for node in _NODES]
        self.steps += len(places)
        rows = len(self._embeddings)
        found = []
        for points in self._at(places):
            leaf = points.detach().requires_grad_()
            with torch.enable_grad():  # captum's `sensitivity_max` calls with gradients switched off
                (gradient,) = torch.autograd.grad(self._embedded(leaf).sum(), leaf)
            found.append(gradient)
        gradients = torch.cat(found).reshape(len(places), *self._embeddings.shape)
        by_unit = torch.stack([self._embedded.by_unit(one * self._embeddings) for one in gradients])
        weights = torch.tensor([weight * (end - start) / 2 for start, end in spans for weight in _WEIGHTS])
        weighted = by_unit * weights.to(by_unit)[:, None, None]
        return weighted.reshape(len(spans), _ORDER, rows, -1).sum(dim=1)

    def _at(self, places: Sequence[float]) -> Any:
        """The embeddings at each place of the line, as many rows at once as the model may hold."""
        scale = torch.tensor(places, dtype=self._embeddings.dtype, device=self._embeddings.device)
        points = scale[:, None, None, None] * self._embeddings
        return points.flatten(0, 1).split(max(self._embedded.rows_at_once, 1))


class GradientXInput(GradientMethod):
    """The gradient of the decision's log-odds by the embeddings, times the embeddings.

    Shrikumar et al., "Not Just a Black Box" (2016). One pass forward and back. True of small changes only.
    """

    name = "gradient_x_input"
    needs_gradients: Literal[True] = True

    @override
    def attribute_at(self, embedded: Embedded, embeddings: Any, settings: AttributionSettings) -> Any:
        """Captum's `InputXGradient` on the output of the embedding layer."""
        from captum.attr import InputXGradient

        leaf = embeddings.detach().requires_grad_()
        return embedded.by_unit(InputXGradient(embedded).attribute(leaf))
