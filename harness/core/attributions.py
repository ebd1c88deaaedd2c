"""What explains a decision: its parts, the worth that methods give to each, and how far that worth can be believed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RANDOM",
    "Ablated",
    "AblationMethod",
    "Attribution",
    "AttributionSettings",
    "Embedded",
    "GradientMethod",
    "MethodResult",
    "Unit",
]

RANDOM = "random"
"""The name of the attribution by chance that stands beside every other."""

Unit = Literal["word", "token"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionSettings:
    """How hard an explanation is worked for, and how it is tried.

    `seed` is the sample's own. `fractions` of the units, each in (0, 1), are taken out, or left alone, the most
    important first. Integrated gradients take at most `steps` points, and fewer where the values already sum to what
    they must but for `largest_gap` of it, Shapley sampling `permutations` orders, KernelSHAP
    `coalitions` subsets. The random attribution is the mean of `random_orders`. Infidelity takes `removals` random
    subsets; max-sensitivity `noises` draws of uniform noise on the embeddings, of `noise_radius` times their root mean
    square (0 draws: it isn't measured). `randomise` asks for the attributions of the same model with random weights.
    """

    seed: int
    fractions: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5)
    steps: int = 80
    largest_gap: float = 0.1
    permutations: int = 4
    coalitions: int = 40
    random_orders: int = 3
    removals: int = 12
    noises: int = 0
    noise_radius: float = 0.1
    randomise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """What one method says of one decision, and what came of trying it.

    `values` has one number a unit, in nats of the decision's log-odds: above 0 speaks for the decision. `deletion` is
    the decision's probability, in [0, 1], without the most important units, one for each fraction of the settings;
    `insertion` that with those units alone. `infidelity` is in nats squared, `max_sensitivity` a relative change, both
    from 0 up, lower is better. `randomised` are the values under random weights. `completeness_gap`, of methods whose
    values should sum to the log-odds of the text less those of their baseline, is how far they don't, as a share of
    that difference (of a nat, where it is less). What was not measured is None.
    """

    name: str
    values: tuple[float, ...]
    deletion: tuple[float, ...]
    insertion: tuple[float, ...]
    infidelity: float | None = None
    max_sensitivity: float | None = None
    randomised: tuple[float, ...] | None = None
    completeness_gap: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A model's decision, and what explains it.

    `decision` is the index of the choice or the label that the model prefers, `target` its text, `tie` whether it hangs
    on rounding. `probability` of the decision is among the choices, in [0, 1], of the whole text; `empty_probability`
    without any unit. `units` are the pieces of the text explained, in order: joined, they are that text; of a picture,
    the names of the cells of a grid, row by row. `methods` include the random one. `evaluation_count` counts the
    distinct texts or pictures that the model was asked about, `pass_count` those that went through it forward and back.
    `asked_token_count` are the tokens of those, each read by itself, `computed_token_count` the tokens that were read
    for them, passes for gradients apart.
    """

    decision: int
    target: str
    tie: bool
    probability: float
    empty_probability: float
    units: tuple[str, ...]
    methods: tuple[MethodResult, ...]
    evaluation_count: int = 0
    pass_count: int = 0
    asked_token_count: int = 0
    computed_token_count: int = 0


Ablated = Callable[[NDArray[np.bool_]], NDArray[np.float64]]
"""The decision as a function of the units that are kept: from shape (rows, units) to log-odds in nats, one a row."""


class AblationMethod(Protocol):
    """A method that asks the model about the text without some of its units: found under `harness.attributions`.

    Which subsets it asks about must not depend on the answers (else each is answered by itself, which is slow), and
    must follow from the settings: it is called twice, first to learn what it asks, with answers that are all 0.
    One whose values sum to the log-odds with all units less those with none says so: `complete = True`.
    """

    name: str
    needs_gradients: Literal[False]

    def attribute(self, ablated: Ablated, unit_count: int, settings: AttributionSettings) -> Sequence[float]:
        """One value a unit, in nats; at least two units."""
        ...


class GradientMethod(Protocol):
    """A method that follows gradients back to the embeddings: found under `harness.attributions`.

    One whose values sum to the log-odds of the text less those of embeddings of zero says so: `complete = True`.
    """

    name: str
    needs_gradients: Literal[True]

    def attribute_at(self, embedded: "Embedded", embeddings: Any, settings: AttributionSettings) -> Any:
        """A tensor of shape (rows, units), in nats, for `embeddings` of shape (rows, tokens, width)."""
        ...


class Embedded(Protocol):
    """The decision as a function of the embeddings of the tokens explained; tensors of torch."""

    @property
    def rows_at_once(self) -> int:
        """Rows of embeddings that one pass of the model may hold."""
        ...

    @property
    def embeddings(self) -> Any:
        """Those of the text as it is, of shape (1, tokens, width)."""
        ...

    def __call__(self, embeddings: Any) -> Any:
        """Log-odds in nats, of shape (rows), for embeddings of shape (rows, tokens, width); differentiable."""
        ...

    def by_unit(self, values: Any) -> Any:
        """Sums over the width and the tokens of each unit: from (rows, tokens, width) to (rows, units)."""
        ...
