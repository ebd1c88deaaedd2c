"""How much a decision may cost."""

import re
from dataclasses import dataclass
from typing import Literal

from harness.core.errors import InputError

__all__ = ["Budget"]

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600}
_JOULES = {"wh": 3600, "kwh": 3_600_000, "j": 1, "kj": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most so many seconds, requests or joules."""

    amount: float
    unit: Literal["s", "requests", "J"]
    text: str

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """From `30m`, `2h`, `20000 requests`, `50 Wh`. Raises `InputError` for anything else, and for nothing."""
        found = re.fullmatch(r"\s*(\d[\d_,]*(?:\.\d+)?)\s*([a-z]+)\s*", text.lower())
        place, fix = f"--budget {text}", "Write it as 30m, 2h, `20000 requests` or `50 Wh`"
        if found is None:
            raise InputError("is not a budget", place=place, fix=fix)
        amount, unit = float(found[1].replace(",", "").replace("_", "")), found[2]
        if not amount:
            raise InputError("allows nothing to be asked", place=place, fix=fix)
        if unit in _SECONDS:
            return cls(amount=amount * _SECONDS[unit], unit="s", text=text)
        if unit in _JOULES:
            return cls(amount=amount * _JOULES[unit], unit="J", text=text)
        if unit in ("request", "requests"):
            return cls(amount=amount, unit="requests", text=text)
        raise InputError(f"{unit!r} is no unit of a budget", place=place, fix=fix)

    def require_meter(self, meter: str) -> None:
        """Raises `InputError` for a budget of energy where the meter of a run is none."""
        if self.unit == "J" and meter == "none":
            raise self._unmeasured

    @property
    def _unmeasured(self) -> InputError:
        return InputError(
            "there is no energy meter to hold it against", place=f"--budget {self.text}", fix="Give a time"
        )

    def is_spent(self, *, seconds: float, requests: int, joules: float | None) -> bool:
        """Whether no more may be asked. Raises `InputError` for a budget of energy where none is measured."""
        if self.unit == "J" and joules is None:
            raise self._unmeasured
        spent = {"s": seconds, "requests": requests, "J": joules or 0.0}[self.unit]
        return spent >= self.amount
