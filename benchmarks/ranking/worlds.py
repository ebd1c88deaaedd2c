"""Checkpoints that answer a thousand questions, as item response theory has it and otherwise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

__all__ = ["ITEMS", "World", "alike_answers"]

Values = NDArray[np.float64]

ITEMS = 1000
_GUESSED = 0.25
"""The chance of a right answer by guessing one of four."""
_TASKS_AGREE = 0.7
"""The correlation of the abilities in two tasks, between models of a bank."""


@dataclass(frozen=True, kw_only=True)
class World:
    """How models answer: questions of one ability, or of two tasks, whose questions differ in how sharply they tell
    models apart.

    `alike` is how much of what isn't ability two models share on a question (a correlation), as checkpoints of one
    training do. The bank's models are of all abilities, or from start to end of one training.
    """

    name: str
    slopes: tuple[float, float] = (1.0, 1.0)
    spread: float = 0.4
    trade_off: float = 0.0
    alike: float = 0.0
    is_one_training: bool = False

    def draw(
        self, rng: np.random.Generator, models: int, lead: float, pairs: int
    ) -> tuple[Values, list[NDArray[np.float64]]]:
        """The answers of the bank's models, shape (models, items), and of pairs of candidates, shape (2, items).

        The first candidate's chance of a right answer is `lead` larger, over all questions; in the first task it is
        larger by `trade_off` less than that, and in the second by as much more.
        """
        second = np.arange(ITEMS) >= ITEMS // 2
        slopes = np.where(second, self.slopes[1], self.slopes[0]) * np.exp(rng.normal(0, self.spread, ITEMS))
        difficulties, common = rng.normal(size=ITEMS), rng.normal(size=ITEMS)

        def chances(abilities: Values) -> Values:
            """By abilities of shape (..., tasks)."""
            own = np.where(second, abilities[..., 1:], abilities[..., :1])
            return np.asarray(_GUESSED + (1 - _GUESSED) * special.expit(slopes * (own - difficulties)))

        def ability(share: float, task: int) -> float:
            """That of a model that has this share right in a task."""
            part = second == bool(task)
            return float(optimize.brentq(lambda one: chances(np.full(2, one))[part].mean() - share, -12, 12))

        if self.is_one_training:
            abilities = np.repeat(np.linspace(-0.6, 0.6, models)[:, None], 2, axis=1)
        else:
            agree = _TASKS_AGREE if self.slopes[0] != self.slopes[1] else 1.0
            abilities = np.sqrt(agree) * rng.normal(size=(models, 1)) + np.sqrt(1 - agree) * rng.normal(
                size=(models, 2)
            )
        bank = alike_answers(rng, chances(abilities), self.alike, common)
        found = []
        for _ in range(pairs):
            middle = rng.uniform(0.5, 0.62)
            shares = [
                (middle + sign * (lead - self.trade_off) / 2, middle + sign * (lead + self.trade_off) / 2)
                for sign in (1, -1)
            ]
            of_two = np.array([[ability(share, task) for task, share in enumerate(one)] for one in shares])
            found.append(alike_answers(rng, chances(of_two), self.alike, common))
        return bank, found


def alike_answers(rng: np.random.Generator, chances: Values, alike: float, common: Values) -> Values:
    """Zeros and ones of these chances, shape (models, items); what isn't ability has a correlation between models."""
    latent = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=chances.shape)
    return np.asarray(special.ndtr(latent) < chances, dtype=np.float64)
