"""What a task says of one sample (`Score`), and what a metric says of many (`Estimate`)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from harness.core.statistics import Interval

__all__ = ["OVERALL", "Basis", "Direction", "Estimate", "SampleGroup", "Score", "TaskPart"]

OVERALL = "overall"
"""The task under which a suite's one score stands among the estimates."""

Direction = Literal["higher", "lower"]
"""Which way is better."""

Basis = Literal["measured", "estimated"]
"""Read from the model or a counter, or worked out from assumptions (such as a processor's nominal power)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One metric's view of one sample.

    `value` is what the metric averages, in the metric's own terms (1.0 for a right answer, nats for a log-likelihood),
    and `weight` what it is divided by (tokens, bytes; 1 for a plain mean). Metrics over labels (F1, MCC) and over texts
    (BLEU) read `gold` and `predicted` instead. `remark` says in a few words why an answer counts as it does (`cut`),
    for people to read. `tie` marks a choice that hangs on less than the rounding of the arithmetic. `cluster` names
    what samples share (a passage, a template): errors are clustered by it. `groups` says which group the sample belongs
    to, by attribute (`{"sex": "female"}`). `invalid` gives the reason where the model's numbers can't be used; the
    sample then counts in no value, and is reported. `truncated` says that a prompt of the sample didn't fit the model's
    window; whoever scores a task sets it, not the task.
    """

    sample_id: str
    metric: str
    value: float | None = None
    weight: float = 1.0
    gold: str | None = None
    predicted: str | None = None
    remark: str | None = None
    tie: bool = False
    cluster: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    truncated: bool = False
    invalid: str | None = None


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """The samples whose `attribute` has that `value`, by `Score.groups`; in text `attribute=value`."""

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute}={self.value}"

    @classmethod
    def parse(cls, text: str) -> "SampleGroup":
        """The group that is written `attribute=value`. Raises `ValueError` for another text."""
        attribute, equals, value = text.partition("=")
        if not equals:
            raise ValueError("a group is written attribute=value, such as sex=female")
        return cls(attribute, value)

    def holds(self, score: Score) -> bool:
        """Whether the score is of a sample of this group."""
        return score.groups.get(self.attribute) == self.value


@dataclass(frozen=True, slots=True)
class TaskPart:
    """What a mean over tasks of one suite is made of: a metric of a task, and what it counts in the mean."""

    task: str
    metric: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A score of a checkpoint with its error: one row of a results table.

    `group` is the part of the samples that it is of; None for all of them.
    `stderr`, `low` and `high` are in the unit of `value`; the interval has `confidence` (0.95) and is two-sided.
    `n` samples gave the value, `invalid_count` more could not be used, `tie_count` of the `n` hang on rounding,
    and `truncated_count` of the `n` rest on a prompt without its first exemplars, or a text without its end.
    Exactly one of `direction` and `target` is set: which way is better, or the value that is best. A score that
    can't be computed has `value` None and says why in `reason`; it is never 0. `applies` is False where no checkpoint
    of this kind can have it, and `failed` True where it is absent because code of a task or suite raised, hung or
    ended. `interval` says how the interval was made; `left_out` are groups that are in no value, with their size
    (`island (n = 9)`), and `p_value` says how likely so extreme a value is by chance alone, where the metric tells it.
    `parts` are those of a mean over tasks; empty for what is none. `signature` pins all that the value depends on.
    """

    suite: str
    task: str
    metric: str
    group: SampleGroup | None = None
    value: float | None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = 0.95
    interval: str | None = None
    left_out: tuple[str, ...] = ()
    p_value: float | None = None
    n: int
    invalid_count: int = 0
    tie_count: int = 0
    truncated_count: int = 0
    unit: str
    direction: Direction | None = None
    target: float | None = None
    basis: Basis = "measured"
    signature: str
    reason: str | None = None
    applies: bool = True
    failed: bool = False
    parts: tuple[TaskPart, ...] = ()

    @property
    def is_headline(self) -> bool:
        """Whether it is its suite's one score."""
        return self.task == OVERALL

    def is_by(self, attribute: str) -> bool:
        """Whether it is of one of the groups of that attribute."""
        return self.group is not None and self.group.attribute == attribute

    @property
    def by_chance(self) -> str:
        """Its `p_value` in words: `(p = 0.42)`; empty without one."""
        return "" if self.p_value is None else f"(p = {self.p_value:.3g})"

    @property
    def as_interval(self) -> "Interval":
        """Its value with its errors, as a metric gave them. Raises `ValueError` where it has no value."""
        if self.value is None:
            raise ValueError(f"{self.metric}: no value")
        # Imported late: --help reads this module and must not wait for numpy.
        from harness.core.statistics import Interval

        return Interval(
            value=self.value,
            stderr=self.stderr,
            low=self.low,
            high=self.high,
            method=self.interval,
            left_out=self.left_out,
            p_value=self.p_value,
        )

    def __post_init__(self) -> None:
        if (self.direction is None) == (self.target is None):
            raise ValueError(f"{self.metric}: an estimate has either a direction or a target")
        if (self.value is None) != (self.reason is not None):
            raise ValueError(f"{self.metric}: an estimate has either a value or a reason for its absence")
        if any(one is not None and not math.isfinite(one) for one in (self.value, self.stderr, self.low, self.high)):
            raise ValueError(f"{self.metric}: an estimate and its errors are finite numbers, or absent")
