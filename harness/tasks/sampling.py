"""How answers are written: how many for each question, drawn how, and how long they may be."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.core.errors import InputError

__all__ = ["DEFAULT_TEMPERATURE", "MOST_SAMPLES", "Sampling"]

DEFAULT_TEMPERATURE = 0.8
"""For several draws where none is given: at 0 they would all be the same."""
MOST_SAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What the user says of it; None leaves it to the task.

    `samples` answers are drawn for each question at `temperature`, from the `top_k` likeliest tokens and the `top_p`
    nucleus of these, each of at most `max_tokens` tokens. Raises `InputError` for what can't be.
    """

    samples: int = 1
    temperature: float | None = None
    top_p: float = 1.0
    top_k: int | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        for wrong, option, problem, fix in self._faults():
            if wrong:
                raise InputError(problem, place=f"--{option}", fix=fix)

    def _faults(self) -> Iterable[tuple[bool, str, str, str]]:
        yield (
            not 1 <= self.samples <= MOST_SAMPLES,
            f"samples {self.samples}",
            "is not a number of answers to draw for each question",
            f"Give one from 1 to {MOST_SAMPLES:,}",
        )
        yield (
            self.temperature is not None and self.temperature != 0 and not 1e-3 <= self.temperature <= 100,
            f"temperature {self.temperature}",
            "is not a temperature",
            "Give 0 (greedy), or a number from 0.001 to 100",
        )
        yield (
            self.samples > 1 and self.temperature == 0,
            f"samples {self.samples} --temperature 0",
            "asks for greedy answers, which are all the same",
            "Draw one, or give a temperature above 0",
        )
        yield (
            not 0 < self.top_p <= 1,
            f"top-p {self.top_p}",
            "is not a probability that tokens can reach",
            "Give a number above 0, up to 1",
        )
        yield (
            self.top_k is not None and self.top_k < 1,
            f"top-k {self.top_k}",
            "leaves no token to draw",
            "Give 1 or more",
        )
        yield (
            self.max_tokens is not None and self.max_tokens < 1,
            f"max-tokens {self.max_tokens}",
            "leaves no token to write",
            "Give 1 or more",
        )
        yield (
            (self.top_p < 1 or self.top_k is not None) and not self.heat,
            "top-p, --top-k",
            "have no effect on greedy answers",
            "Add --temperature, or leave them out",
        )

    @property
    def heat(self) -> float:
        """The temperature in force."""
        if self.temperature is None:
            return DEFAULT_TEMPERATURE if self.samples > 1 else 0.0
        return self.temperature

    @property
    def is_usual(self) -> bool:
        """Whether nothing was said."""
        return self == Sampling()

    def definition(self) -> Mapping[str, Any]:
        """What of it decides the scores."""
        told = {**asdict(self), "temperature": self.heat}
        return {name: value for name, value in told.items() if value is not None}
