"""Makes figures of energy windows: sums, rates and their errors, or the reason why there is none."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from scipy import special

from harness.core import statistics
from harness.core.meters import Window
from harness.core.scores import Basis, Estimate
from harness.core.statistics import UPPER, Interval
from harness.core.tasks import Results
from harness.core.text.reasons import Reason
from harness.core.token_energy import AIM, half_width
from suites.energy.answers import Answers

__all__ = ["ENERGY", "IDLE_TASK", "JOULES_PER_WH", "NO_ENERGY", "RUN", "Book"]

ENERGY = "energy"
RUN = "run"
IDLE_TASK = "idle"
JOULES_PER_WH = 3600.0
JOULES_PER_KWH = 3.6e6
NO_ENERGY = "no energy was recorded"
UNREAD_SHARE = 0.01
"""A sum over windows may lack windows without energy that make up this share of its time."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """Windows that go into a figure, or the reason why there is none."""

    used: Sequence[Window] = ()
    unused_count: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """Energy over `per`, summed over windows; absent because of `nothing` where that sum is 0."""

    metric: str
    unit: str
    per: Callable[[Window], float]
    nothing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Makes estimates of this suite with the idle power and signature of the run."""

    signature: str
    idle: Interval | str
    """Watts, or the reason why they are not known."""

    @classmethod
    def of(cls, results: Results, idle: Sequence[Window]) -> Self:
        """The book of a run whose `idle` windows are given."""
        return cls(signature=_signature(results), idle=_idle_power(idle))

    def signed(self, more: str) -> Self:
        """The same book, with more in its signature."""
        return replace(self, signature=f"{more}|{self.signature}")

    def idle_power(self, windows: Sequence[Window]) -> Estimate:
        """Watts of the machine at rest."""
        usable = [window for window in windows if window.energy_joules is not None]
        metric = "idle_power_watts"
        if isinstance(self.idle, str):
            return self._absent(IDLE_TASK, metric, "W", self.idle, _Sum())
        return self._present(IDLE_TASK, metric, "W", self.idle, _Sum(usable, len(windows) - len(usable)))

    def energies(self, task: str, windows: Sequence[Window]) -> list[Estimate]:
        """Joules, gross and net."""
        return [self.total(task, f"{prefix}energy_joules", windows, net=bool(prefix)) for prefix in ("", "net_")]

    def carbon(self, windows: Sequence[Window]) -> Estimate:
        """Grams of CO2 equivalent, of gross energy."""
        found = _usable(windows)
        unknown = [window.phase for window in found.used if window.carbon_grams_per_kwh is None]
        reason = found.reason or (
            Reason("no carbon intensity is known for {phases}", phases=", ".join(dict.fromkeys(unknown)))
            if unknown
            else None
        )
        if reason is not None:
            return self._absent(RUN, "carbon_grams", "gCO2e", reason, found)
        grams = sum(_joules(window) / JOULES_PER_KWH * (window.carbon_grams_per_kwh or 0.0) for window in found.used)
        return self._present(RUN, "carbon_grams", "gCO2e", _exact(grams), found, basis="estimated")

    def part(self, part: str, windows: Sequence[Window]) -> Estimate:
        """Joules of one part of the machine, such as its GPU."""
        metric = f"{part}_energy_joules"
        found = _usable([_alone(window, part) for window in windows])
        if found.reason is not None:
            without = [window for window in windows if window.energy_joules is not None]
            is_unseen = bool(without) and not any(part in window.components_joules for window in windows)
            reason = without[0].absent.get(part, "not reported by the meter") if is_unseen else found.reason
            return self._absent(RUN, metric, "J", reason, found)
        return self._present(RUN, metric, "J", _exact(sum(map(_joules, found.used))), found)

    def per_token(self, task: str, stage: str, windows: Sequence[Window], *, is_aimed: bool = False) -> list[Estimate]:
        """Joules a token of a stage, gross and net; where `is_aimed`, a gross interval says if it misses `AIM`."""
        rate = _Rate(
            metric=f"joules_per_token_{stage}",
            unit="J/token",
            per=lambda window: window.token_count,
            nothing=Reason("no tokens were counted in the stage {stage}", stage=stage) if windows else NO_ENERGY,
        )
        inside = [window for window in windows if window.stage == stage]
        gross, net = (self._ratio(task, rate, inside, net=net) for net in (False, True))
        return [_judged(gross) if is_aimed else gross, net]

    def time_per_token(self, task: str, stage: str, windows: Sequence[Window]) -> Estimate:
        """Seconds a token of a stage, by the clock."""
        metric, inside = f"seconds_per_token_{stage}", [window for window in windows if window.stage == stage]
        tokens = [window.token_count for window in inside]
        if not sum(tokens):
            reason = Reason("no tokens were counted in the stage {stage}", stage=stage)
            return self._absent(task, metric, "s/token", reason, _Sum())
        interval = _not_below_0(statistics.ratio([window.duration_s for window in inside], tokens))
        return self._present(task, metric, "s/token", interval, _Sum(inside), basis="measured")

    def per_query(self, task: str, windows: Sequence[Window]) -> list[Estimate]:
        """Watt-hours of 1,000 requests from the rates of both stages, gross and net, with the error of both."""
        return [self._query(task, windows, net=net) for net in (False, True)]

    def gpu_per_query(self, task: str, windows: Sequence[Window]) -> Estimate:
        """The same of the GPU alone, which is what the AI Energy Score states."""
        metric, unit = "gpu_wh_per_1000_queries", "Wh/1,000 queries"
        joules = self.part("gpu", windows)
        found = _usable([_alone(window, "gpu") for window in windows])
        requests = sum(window.request_count for window in found.used)
        if joules.value is None or not requests:
            return self._absent(task, metric, unit, joules.reason or "no queries were counted", found)
        return self._present(task, metric, unit, _exact(joules.value / requests * 1000 / JOULES_PER_WH), found)

    def correct_answers(self, answers: Answers) -> Estimate:
        """Joules of a correct answer of a suite: energy of a request, times its requests, over its correct answers."""
        metric, unit = "joules_per_correct_answer", "J/correct answer"
        found, joules = self._values(answers.windows, net=False)
        counted = sum(window.request_count for window in found.used)
        reason = found.reason or (
            None if counted else "its requests were answered together with those of another suite"
        )
        if reason is None and answers.correct_count == 0:
            reason = "there is no correct answer"
        if reason is not None:
            return self._absent(answers.suite, metric, unit, reason, found)
        request = statistics.ratio(joules, [window.request_count for window in found.used])
        value = request.value * answers.request_count / answers.correct_count
        interval, errors = _exact(value), (request.stderr, answers.stderr)
        if errors[0] is not None and errors[1] is not None:
            share = math.hypot(errors[0] / request.value, errors[1] / answers.correct_count)
            reach = math.exp(float(special.ndtri(UPPER)) * share)
            interval = Interval(
                value=value, stderr=value * share, low=value / reach, high=value * reach, method="log-normal, delta"
            )
        basis = _basis(found.used) if counted == answers.request_count else "estimated"
        return self._present(answers.suite, metric, unit, interval, found, basis=basis)

    def per_request(self, phase: str, windows: Sequence[Window]) -> list[Estimate]:
        """Watt-hours of 1,000 requests of a phase, gross and net."""
        rate = _Rate(
            metric="wh_per_1000_requests",
            unit="Wh/1,000 requests",
            per=lambda window: window.request_count / 1000 * JOULES_PER_WH,
            nothing="no requests were counted",
        )
        return [self._ratio(phase, rate, windows, net=net) for net in (False, True)]

    def _query(self, task: str, windows: Sequence[Window], *, net: bool) -> Estimate:
        metric, unit = f"{'net_' if net else ''}wh_per_1000_queries", "Wh/1,000 queries"
        found, joules = self._values(windows, net=net)
        requests = sum(window.request_count for window in found.used)
        reason = found.reason or (None if requests else "no queries were counted")
        if reason is not None:
            return self._absent(task, metric, unit, reason, found)
        scale = 1000 / JOULES_PER_WH / requests
        value, errors, least = math.fsum(joules) * scale, [], len(joules)
        for stage in dict.fromkeys(window.stage for window in found.used):
            inside = [(one, joule) for one, joule in zip(found.used, joules, strict=True) if one.stage == stage]
            tokens = [window.token_count for window, _ in inside]
            if any(tokens):
                rate = statistics.linear([joule for _, joule in inside], tokens)
                # Readings that are all the same have no interval of their own, and add no error to a sum.
                errors.append(None if rate is None else rate.stderr * sum(tokens) * scale)
                least = min(least, len(inside))
        interval, known = _exact(value), [error for error in errors if error is not None]
        if known and len(known) == len(errors):
            stderr = math.hypot(*known)
            half = float(special.stdtrit(least - 1, UPPER)) * stderr
            interval = Interval(value=value, stderr=stderr, low=value - half, high=value + half, method="t, by stage")
        return self._present(task, metric, unit, interval if net else _not_below_0(interval), found)

    def total(self, task: str, metric: str, windows: Sequence[Window], *, net: bool) -> Estimate:
        """Joules of the windows in all."""
        found, values = self._values(windows, net=net)
        if found.reason is not None:
            return self._absent(task, metric, "J", found.reason, found)
        return self._present(task, metric, "J", _exact(sum(values)), found)

    def _ratio(self, task: str, rate: _Rate, windows: Sequence[Window], *, net: bool) -> Estimate:
        metric = f"{'net_' if net else ''}{rate.metric}"
        found, values = self._values(windows, net=net) if windows else (_Sum(reason=rate.nothing), [])
        bottom = [rate.per(window) for window in found.used]
        reason = found.reason or (None if sum(bottom) > 0 else rate.nothing)
        if reason is not None:
            return self._absent(task, metric, rate.unit, reason, found)
        interval = statistics.ratio(values, bottom)
        if len({window.stage for window in found.used}) > 1:
            # Windows of unlike stages are no repeated readings of one thing, so they hold no error.
            interval = _exact(interval.value)
        return self._present(task, metric, rate.unit, interval if net else _not_below_0(interval), found)

    def _values(self, windows: Sequence[Window], *, net: bool) -> tuple[_Sum, list[float]]:
        """Joules of each usable window. Single windows may be below 0 when net, by noise; their sum may not."""
        found = _usable(windows)
        gross = [_joules(window) for window in found.used]
        if not net or found.reason is not None:
            return found, gross
        if isinstance(self.idle, str):
            return _Sum(reason=Reason("idle power is not known: {reason}", reason=self.idle)), []
        watts = self.idle.value
        values = [joules - watts * window.duration_s for joules, window in zip(gross, found.used, strict=True)]
        if sum(values) < 0:
            why = Reason(
                "less power than the {watts} W of the idle phase: another program was running then",
                watts=f"{watts:.1f}",
            )
            return _Sum(reason=why), []
        return found, values

    def _present(
        self, task: str, metric: str, unit: str, interval: Interval, found: _Sum, basis: Basis | None = None
    ) -> Estimate:
        return Estimate(
            suite=ENERGY,
            task=task,
            metric=metric,
            value=interval.value,
            stderr=interval.stderr,
            low=interval.low,
            high=interval.high,
            interval=interval.method,
            n=len(found.used),
            invalid_count=found.unused_count,
            unit=unit,
            direction="lower",
            basis=basis or _basis(found.used),
            signature=self.signature,
        )

    def _absent(self, task: str, metric: str, unit: str, reason: str, found: _Sum) -> Estimate:
        return Estimate(
            suite=ENERGY,
            task=task,
            metric=metric,
            value=None,
            n=0,
            invalid_count=found.unused_count,
            unit=unit,
            direction="lower",
            basis=_basis(found.used),
            signature=self.signature,
            reason=reason,
        )


def _judged(estimate: Estimate) -> Estimate:
    """The estimate, its interval marked where it is wider than was aimed at, or unknown."""
    if estimate.value is None:
        return estimate
    width = half_width(estimate.as_interval)
    if width is None:
        said = Reason(
            "unknown: too few windows to tell ({count}; the aim is ±{aim})", count=estimate.n, aim=f"{AIM:.0%}"
        )
        return replace(estimate, interval=said)
    if width > AIM:
        said = Reason(
            "t, ±{width}: the aim of {aim} was not reached in {count} windows",
            width=f"{width:.1%}",
            aim=f"{AIM:.0%}",
            count=estimate.n,
        )
        return replace(estimate, interval=said)
    return estimate


def _not_below_0(interval: Interval) -> Interval:
    """Gross energy is never below 0, so neither is what may be true of it."""
    return interval if interval.low is None else replace(interval, low=max(interval.low, 0.0))


def _usable(windows: Sequence[Window]) -> _Sum:
    """The windows with energy, unless those without make up too much of the time."""
    used = [window for window in windows if window.energy_joules is not None]
    unread = [window for window in windows if window.energy_joules is None]
    if not windows:
        return _Sum(reason=NO_ENERGY)
    lost, total = sum(window.duration_s for window in unread), sum(window.duration_s for window in windows)
    if unread and (not used or lost > UNREAD_SHARE * total):
        why = Reason(
            "no energy was measured for {lost} of {total} s: {reason}",
            lost=f"{lost:.3g}",
            total=f"{total:.3g}",
            reason=unread[0].reason or "the meter gave no reason",
        )
        return _Sum(unused_count=len(unread), reason=why)
    return _Sum(used, len(unread))


def _alone(window: Window, part: str) -> Window:
    """The window as a meter of that part alone would have seen it, with the part's own basis."""
    return replace(
        window,
        energy_joules=window.components_joules.get(part),
        basis=window.components_basis.get(part, window.basis),
        reason=window.absent.get(part, window.reason),
    )


def _joules(window: Window) -> float:
    assert window.energy_joules is not None
    return window.energy_joules


def _basis(windows: Sequence[Window]) -> Basis:
    return "measured" if windows and all(window.basis == "measured" for window in windows) else "estimated"


def _exact(value: float) -> Interval:
    """A sum over all that happened: it has no sampling error."""
    return Interval(value=value, stderr=None, low=None, high=None, method=None)


def _idle_power(windows: Sequence[Window]) -> Interval | str:
    found = _usable(windows)
    if found.reason is not None:
        return found.reason if windows else "no idle phase was measured"
    return statistics.ratio([_joules(window) for window in found.used], [window.duration_s for window in found.used])


def _signature(results: Results) -> str:
    """The run's signature with the instruments and regions that these figures depend on."""
    grids = {
        f"{window.region}:{window.carbon_grams_per_kwh:g}"
        for window in results.windows
        if window.carbon_grams_per_kwh is not None
    }
    regions = f"|gCO2e/kWh:{','.join(sorted(grids))}" if grids else ""
    sources = "|".join(dict.fromkeys(f"meter:{one.source}" for one in results.windows if one.energy_joules is not None))
    return "|".join(filter(None, (f"{results.signature}{regions}", sources)))
