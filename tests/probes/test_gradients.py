"""Integrated gradients against captum with thousands of steps, on a function that changes where the path begins."""

from typing import Any

import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIntegratedGradients

from harness.core.attributions import AttributionSettings
from probes.attribution.gradients import IntegratedGradients


class Normalised:
    """Log-odds of states that are brought to a mean square of 1, as most models' are: `small` is added to it before."""

    rows_at_once = 7

    def __init__(self, small: float) -> None:
        generator = torch.Generator().manual_seed(0)
        self.embeddings = torch.randn(1, 5, 4, generator=generator, dtype=torch.float64)
        self._weights = torch.randn(5, 4, generator=generator, dtype=torch.float64)
        self._small = small
        self.pass_count = 0

    def __call__(self, embeddings: Any) -> Any:
        self.pass_count += len(embeddings)
        scale = (embeddings.square().mean(dim=(1, 2)) + self._small).sqrt()
        states = embeddings / scale[:, None, None]
        return (states * self._weights).sum(dim=(1, 2)) + 4 * torch.sin(3 * states[:, 0, 0]) * states[:, 1, 1]

    def by_unit(self, values: Any) -> Any:
        return values.sum(dim=-1)


def values(function: Normalised, given: Any, **settings: Any) -> Any:
    return IntegratedGradients().attribute_at(function, given, AttributionSettings(seed=0, **settings))


@pytest.mark.parametrize("small", [1.0, 1e-2, 1e-4, 1e-6])
def test_points_are_taken_until_the_values_sum_to_what_they_must_and_agree_with_captum(small: float) -> None:
    function = Normalised(small)
    found = values(function, function.embeddings, steps=256)
    used = function.pass_count
    exact = CaptumIntegratedGradients(function).attribute(function.embeddings, n_steps=20_000, method="riemann_middle")
    ends = [float(function(one)) for one in (function.embeddings, torch.zeros_like(function.embeddings))]
    bound = 0.05 * max(abs(ends[0] - ends[1]), 1)
    assert float(found.sum()) == pytest.approx(ends[0] - ends[1], abs=bound)
    assert found.tolist()[0] == pytest.approx(function.by_unit(exact).tolist()[0], abs=bound)
    assert used < 256


def test_eight_evenly_spread_points_are_too_few_and_a_limit_ends_it() -> None:
    function = Normalised(1e-6)
    total = float(function(function.embeddings))
    eight = CaptumIntegratedGradients(function).attribute(function.embeddings, n_steps=8)
    assert abs(float(eight.sum()) - total) > 0.05 * max(abs(total), 1)
    before = function.pass_count
    values(function, function.embeddings, steps=16, largest_gap=1e-9)
    assert function.pass_count - before == 16 + 5  # the points, and the ends of four parts


def test_several_rows_get_the_values_that_each_has_alone() -> None:
    function = Normalised(1e-4)
    rows = torch.cat([function.embeddings, 2 * function.embeddings])
    together = values(function, rows, steps=256, largest_gap=1e-3)
    for row, found in zip(rows, together, strict=True):
        assert found.tolist() == pytest.approx(
            values(function, row[None], steps=256, largest_gap=1e-3)[0].tolist(), abs=5e-3
        )
