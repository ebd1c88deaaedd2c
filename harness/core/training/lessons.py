"""Rows that a model is trained on, and how: all that decides what it has learnt, beside the model."""

from dataclasses import dataclass

from harness.core.text.hashing import digest

__all__ = ["Lessons", "LoraRecipe", "taught_in"]

_TRAIN = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraRecipe:
    """How a LoRA adapter (Hu et al., 2022) is fitted to rows.

    It has `rank` and `alpha`, without dropout, on every linear layer but the output head. Rows are gone through
    `epochs` times, each time in another order, `rows_per_step` at a time. The loss is the mean negative log-likelihood
    of the answers' tokens, prompts not counted; AdamW without weight decay takes steps of `learning_rate`, which falls
    to 0 in a straight line, with gradients of a norm of `largest_norm` at most.
    """

    rank: int = 8
    alpha: int = 16
    epochs: int = 4
    rows_per_step: int = 1
    learning_rate: float = 0.0005
    largest_norm: float = 1.0

    def step_count(self, row_count: int) -> int:
        """How many steps so many rows take."""
        return self.epochs * -(-row_count // self.rows_per_step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Pairs of prompt and answer that an adapter is fitted to, for the task `task`; `seed` is the run's."""

    task: str
    seed: int
    rows: tuple[tuple[str, str], ...]
    recipe: LoraRecipe = LoraRecipe()

    @property
    def start(self) -> int:
        """What the adapter's first weights and the order of the rows are drawn with."""
        return int(digest({"seed": self.seed, "task": self.task, "rows": len(self.rows)})[:12], 16)

    @property
    def stage(self) -> str:
        """What the energy windows of the training say that the model does in them; see `taught_in`."""
        return f"{_TRAIN} {len(self.rows)} {self.task}"


def taught_in(stage: str | None) -> tuple[str, int] | None:
    """Whose training a window's stage is, and on how many rows; None for any other work."""
    begun, _, rest = (stage or "").partition(" ")
    count, _, task = rest.partition(" ")
    return (task, int(count)) if begun == _TRAIN and count.isdecimal() and task else None
