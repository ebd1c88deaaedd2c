"""A bank of item parameters, fitted to the answers that models gave, and a choice of questions that goes by it.

It is here to be held against `harness rank`, which has none: docs/gate.md says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Bank", "fit"]

Values = NDArray[np.float64]

_GRID = np.linspace(-5, 5, 81)
"""Abilities that a checkpoint may have."""
_NODES = np.linspace(-4, 4, 31)
"""Abilities over which those of the bank's models are integrated; they are taken for standard normal."""
_STEPS, _NEWTON = 60, 2
_SLOPE_SD, _INTERCEPT_SD = 0.5, 2.0
"""Of the normal priors of log slopes and of intercepts."""
_ABILITY_SD = 2.0
_BATCH = 16
"""So many questions are chosen at a time."""


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Items of the two-parameter logistic model: right with the chance logistic(slope * ability + intercept)."""

    slopes: Values
    intercepts: Values

    def told(self, answers: Values, looks: Sequence[int], z: float) -> tuple[int, int]:
        """After how many questions two checkpoints are told apart, and 1 or -1 for the better one, 0 where they aren't.

        `answers` are zeros and ones, shape (2, items). Both are asked those that are most informative (Fisher) at their
        abilities as they look by then; they are told apart once, at one of the `looks`, the abilities' difference is
        `z` standard errors. Each answer counts for itself, as the model has it.
        """
        left, beliefs = np.ones(len(self.slopes), dtype=bool), np.tile(-(_GRID**2) / (2 * _ABILITY_SD**2), (2, 1))
        asked = 0
        for look in looks:
            while asked < look:
                chosen = self._most_informative(_moments(beliefs)[0], left, min(_BATCH, look - asked))
                left[chosen] = False
                asked += len(chosen)
                logits = self.slopes[chosen, None] * _GRID + self.intercepts[chosen, None]
                beliefs = beliefs + answers[:, chosen] @ special.log_expit(logits)
                beliefs += (1 - answers[:, chosen]) @ special.log_expit(-logits)
            abilities, errors = _moments(beliefs)
            gap = float((abilities[0] - abilities[1]) / np.hypot(*errors))
            if abs(gap) > z:
                return asked, int(np.sign(gap))
        return asked, 0

    def _most_informative(self, abilities: Values, left: NDArray[np.bool_], count: int) -> NDArray[np.intp]:
        chances = special.expit(self.slopes * abilities[:, None] + self.intercepts)
        information = (self.slopes**2 * chances * (1 - chances)).sum(axis=0)
        return np.argsort(-np.where(left, information, -1.0), kind="stable")[:count]


def _moments(beliefs: Values) -> tuple[Values, Values]:
    """The mean and the standard deviation of each ability."""
    chances = special.softmax(beliefs, axis=1)
    means = chances @ _GRID
    return means, np.sqrt(np.maximum(chances @ _GRID**2 - means**2, 1e-12))


def fit(answers: Values) -> Bank:
    """The bank of models' zeros and ones, shape (models, items), by marginal maximum a posteriori.

    Expectation and maximisation (Bock and Aitkin, 1981) with priors (Mislevy, 1986).
    """
    share = (answers.sum(axis=0) + 0.5) / (len(answers) + 1)
    logs, intercepts = np.zeros(answers.shape[1]), special.logit(share)
    prior = -(_NODES**2) / 2
    for _ in range(_STEPS):
        logits = np.exp(logs)[:, None] * _NODES + intercepts[:, None]
        given = answers @ special.log_expit(logits) + (1 - answers) @ special.log_expit(-logits)
        weights = special.softmax(given + prior, axis=1)
        models, right = weights.sum(axis=0), answers.T @ weights
        for _ in range(_NEWTON):
            logs, intercepts = _climbed(logs, intercepts, models, right)
    return Bank(slopes=np.exp(logs), intercepts=intercepts)


def _climbed(logs: Values, intercepts: Values, models: Values, right: Values) -> tuple[Values, Values]:
    """A step of Newton's method (Fisher scoring) for every item at once."""
    weighed = np.exp(logs)[:, None] * _NODES
    chances = special.expit(weighed + intercepts[:, None])
    rest, spread = right - models * chances, models * chances * (1 - chances)
    slope = (rest * weighed).sum(axis=1) - logs / _SLOPE_SD**2
    level = rest.sum(axis=1) - intercepts / _INTERCEPT_SD**2
    first = (spread * weighed**2).sum(axis=1) + 1 / _SLOPE_SD**2
    both = (spread * weighed).sum(axis=1)
    second = spread.sum(axis=1) + 1 / _INTERCEPT_SD**2
    scale = first * second - both**2
    return (
        logs + np.clip((second * slope - both * level) / scale, -0.5, 0.5),
        intercepts + np.clip((first * level - both * slope) / scale, -1.0, 1.0),
    )
