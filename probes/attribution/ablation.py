"""Methods that ask the model about the text without some of its units: occlusion, Shapley sampling, KernelSHAP.

captum draws the subsets and turns the answers into values. The engine calls each method twice: what it asks the first
time is answered in one go, many subsets at once.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from typing_extensions import override

from harness.core.attributions import Ablated, AblationMethod, AttributionSettings

__all__ = ["KernelShap", "Occlusion", "ShapleySampling"]

_ALL_AT_ONCE = 1_000_000


class Occlusion(AblationMethod):
    """By how much the decision's log-odds fall when a unit is taken out, each by itself.

    Zeiler and Fergus (2014); on words as in Li et al., "Understanding Neural Networks through Representation Erasure"
    (2016). One question a unit. Blind to what either of two units would do alone.
    """

    name = "occlusion"
    needs_gradients: Literal[False] = False

    @override
    def attribute(self, ablated: Ablated, unit_count: int, settings: AttributionSettings) -> list[float]:
        """Captum's `Occlusion` with windows of one unit."""
        from captum.attr import Occlusion as CaptumOcclusion

        method = CaptumOcclusion(_forward(ablated))
        found = method.attribute(
            torch.ones(1, unit_count), sliding_window_shapes=(1,), baselines=0, perturbations_per_eval=unit_count
        )
        return [float(value) for value in found[0]]


class ShapleySampling(AblationMethod):
    """Shapley values, estimated from random orders in which the units are put back one by one.

    Castro et al., "Polynomial calculation of the Shapley value based on sampling" (2009); Strumbelj and Kononenko
    (2010). The values of each order sum to the log-odds with all units less those with none. `permutations` times as
    many questions as there are units.
    """

    name = "shapley_sampling"
    needs_gradients: Literal[False] = False
    complete = True

    @override
    def attribute(self, ablated: Ablated, unit_count: int, settings: AttributionSettings) -> list[float]:
        """Captum's `ShapleyValueSampling`."""
        from captum.attr import ShapleyValueSampling

        with _seeded(settings.seed):
            found = ShapleyValueSampling(_forward(ablated)).attribute(
                torch.ones(1, unit_count),
                baselines=0,
                n_samples=settings.permutations,
                perturbations_per_eval=unit_count,
            )
        return [float(value) for value in found[0]]


class KernelShap(AblationMethod):
    """Shapley values, estimated by a linear model of what random subsets of the units do.

    Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions" (2017). `coalitions` questions; with fewer
    than twice the units it is a rough guess.
    """

    name = "kernel_shap"
    needs_gradients: Literal[False] = False
    complete = True

    @override
    def attribute(self, ablated: Ablated, unit_count: int, settings: AttributionSettings) -> list[float]:
        """Captum's `KernelShap`."""
        from captum.attr import KernelShap as CaptumKernelShap

        with _seeded(settings.seed), warnings.catch_warnings():
            # captum and scikit-learn each warn of the other's ways.
            warnings.simplefilter("ignore")
            found = CaptumKernelShap(_forward(ablated)).attribute(
                torch.ones(1, unit_count),
                baselines=0,
                n_samples=settings.coalitions,
                perturbations_per_eval=_ALL_AT_ONCE,
            )
        return [float(value) for value in found[0]]


def _forward(ablated: Ablated) -> Callable[[Any], Any]:
    """What captum calls: from ones and zeros of shape (rows, units) to one number a row."""

    def forward(kept: Any) -> Any:
        return torch.from_numpy(ablated(np.asarray(kept.numpy() > 0)))

    return forward


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """captum draws from torch's own generator, which is given back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
