"""Whether a record's estimates follow from its scores: a record may be sound as a file, and invented all the same."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from harness.core import registry
from harness.core.headlines import mean_signature
from harness.core.metrics import Metric, Undefined
from harness.core.scores import Estimate, Score
from harness.core.statistics import mean_of_parts
from harness.decision.keys import Key, key_of
from harness.decision.scored import Scored

__all__ = ["contradictions", "underived"]

_AGREES = 1e-6
_SHARE = "share"


def contradictions(run: Scored) -> list[str]:
    """What of a run's estimates is not what its own scores, parts and energy windows give; one sentence each.

    Each value is computed again by the metric of the task, and held against the metric's range; so are counts, a
    headline's mean and the readings of suites that are installed. Intervals are only held against what an interval
    can be: whoever decides by one computes it anew. What can't be computed here is no contradiction: see `underived`.
    """
    found = [*_twice(run), *_without_estimate(run)]
    for key, estimate in run.estimates.items():
        faults = [*_numbers(run, key, estimate), *_pins(run, key, estimate), *_passed_over(run, key, estimate)]
        found += [f"{key} {fault}" for fault in faults or _value(run, key, estimate)]
    return found


def underived(run: Scored, key: Key) -> str | None:
    """Why nothing in the record bears a number out, as far as can be told here; None where something does."""
    estimate = run.estimates[key]
    if estimate.value is None or key.whole in run.scores:
        return None
    if parts := _parts(run, key):
        return next((reason for part in parts if (reason := underived(run, part))), None)
    if key.is_headline:
        return "is a headline of nothing"
    if key in run.readings:
        return None if key in run.derived_readings else f"is no reading that the suite {key.suite} gives here"
    return "has no scores"


def _twice(run: Scored) -> Iterator[str]:
    for key, count in Counter(map(key_of, run.listed)).items():
        if count > 1:
            yield f"{key} stands there {count} times"


def _without_estimate(run: Scored) -> Iterator[str]:
    for key in run.scores:
        if key not in run.estimates:
            yield f"{key} has scores, and no estimate"


def _numbers(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    """What no estimate can be, whatever it was made from."""
    numbers = (one.value, one.stderr, one.low, one.high, one.confidence, one.target)
    if not all(number is None or math.isfinite(number) for number in numbers):
        yield "holds a number that is none"
        return
    if (
        min(one.n, one.invalid_count, one.tie_count, one.truncated_count) < 0
        or max(one.tie_count, one.truncated_count) > one.n
    ):
        yield "holds a count that can't be"
    if (one.stderr or 0) < 0 or (one.low is not None and one.high is not None and one.low > one.high):
        yield "holds an error that can't be"
    metric = run.known_metric(key) if key.whole in run.scores else None
    lowest, highest = _range(metric, one)
    for name, number in (("value", one.value), ("low", one.low), ("high", one.high)):
        if number is not None and not lowest - _AGREES <= number <= highest + _AGREES:
            yield f"has the {name} {number:.6g}, which is not from {lowest:g} to {highest:g}"
    if metric and (one.unit, one.direction, one.target, one.basis) != (
        metric.unit,
        metric.direction,
        metric.target,
        metric.basis,
    ):
        yield f"has another unit, direction, target or basis than {metric.name}"
    if metric and key.group is None and (told := run.recorded_otherwise(key)):
        yield f"is recorded as another metric than the task has: {told[0]}"


def _range(metric: Metric | None, one: Estimate) -> tuple[float, float]:
    lowest, highest = (metric.lowest, metric.highest) if metric else (None, None)
    if one.unit == _SHARE:
        lowest, highest = -1.0 if lowest is None else lowest, 1.0 if highest is None else highest
    return -math.inf if lowest is None else lowest, math.inf if highest is None else highest


def _pins(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    """What an estimate's signature says of the run, where the run's spec says something else."""
    spec = run.record.spec
    expected = {
        "model": spec.fingerprint,
        "kind": spec.kind,
        "dtype": spec.dtype,
        "device": spec.device,
        "seed": str(spec.seed),
    }
    for task in spec.tasks:
        if (task.suite, task.task) == (key.suite, key.task):
            expected |= {"requests": task.requests_sha256, "data": task.data_sha256 or "in-task"}
    for part in one.signature.split("|"):
        name, _, said = part.partition(":")
        if name in expected and not (said and expected[name].startswith(said)):
            yield f"is signed for another {name} than spec.json names"


def _passed_over(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    """A number that is said not to apply, and does: a rule that isn't required would pass it over."""
    if one.applies:
        return
    parts = any(run.estimates[part].applies for part in _parts(run, key))
    if key.whole in run.scores or parts or (key.is_headline and _left_out(run, key, one)):
        yield "is said not to apply, and has scores"


def _value(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    if key.is_headline or _parts(run, key):
        yield from _headline(run, key, one)
    elif key.whole in run.scores:
        yield from _counts(run, key, one)
        yield from _by_scores(run, key, one)
    elif key in run.readings:
        yield from _reading(run, key, one)
    elif one.value is not None and key.task not in run.record.spec.aggregates:
        yield "has a value, and no scores"


def _counts(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    scores = run.scores_of(key)
    valid = [score for score in scores if score.invalid is None]
    counts = (len(valid), len(scores) - len(valid), sum(s.tie for s in valid), sum(s.truncated for s in valid))
    told = (one.n, one.invalid_count, one.tie_count, one.truncated_count)
    if counts != told:
        yield f"says {_told(told)}, where the scores are {_told(counts)}"
    metric = run.known_metric(key)
    lowest, highest = metric.score_range if metric else (None, None)
    if any(not _is_score(score, lowest, highest) for score in valid):
        yield "is made of scores outside of its range"


def _told(counts: Sequence[int]) -> str:
    return ", ".join(f"{count} {name}" for count, name in zip(counts, ("valid", "invalid", "ties", "cut"), strict=True))


def _is_score(score: Score, lowest: float | None, highest: float | None) -> bool:
    if not (math.isfinite(score.weight) and score.weight >= 0):
        return False
    if score.value is None:
        return True
    low, high = -math.inf if lowest is None else lowest, math.inf if highest is None else highest
    return math.isfinite(score.value) and low - _AGREES <= score.value <= high + _AGREES


def _by_scores(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    if one.value is None:
        return  # absent says less than the scores would, and no rule on it passes
    metric = run.known_metric(key)
    if metric is None and one.unit == _SHARE:  # of what no task here has, all shares are taken for means
        metric = run.mean(key)
    if metric is None:
        return  # nothing can be told here, and no rule decides by it
    try:
        given = run.value_by(metric, key)
    except Undefined:
        yield f"is {one.value:.6g}, where its scores give nothing"
        return
    if not _near(given, one.value):
        yield f"is {one.value:.6g}, where its scores give {given:.6g}"


def _headline(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    if one.value is None:
        return
    parts = [run.estimates[part] for part in _parts(run, key)]
    if not parts or len(parts) != len(one.parts):
        yield "is no mean of what the run holds"
        return
    if not one.signature.startswith(mean_signature(parts, "")):
        yield "is signed for other parts than it names"
    if key.is_headline and (missing := _left_out(run, key, one)):
        yield f"leaves out {', '.join(missing)}"
    if any(part.value is None for part in parts):
        yield "is the mean of something absent"
        return
    weights = [part.weight for part in one.parts]
    if not all(math.isfinite(weight) and weight > 0 for weight in weights):
        yield "has weights that can't be"
        return
    mean = mean_of_parts([part.as_interval for part in parts], weights)
    if not _near(mean.value, one.value):
        yield f"is {one.value:.6g}, where its parts give {mean.value:.6g}"
    if one.n != sum(part.n for part in parts):
        yield f"says n = {one.n}, where its parts have {sum(part.n for part in parts)}"


def _left_out(run: Scored, key: Key, one: Estimate) -> list[str]:
    """Parts of a suite's headline that the run has and this one leaves out, today or in an earlier version."""
    if key.suite not in registry.names("harness.suites"):
        return []
    named = {(part.task, part.metric) for part in one.parts}
    suite = registry.suite(key.suite)
    wanted = next((parts for parts in suite.earlier_headlines if named & {*parts}), suite.headline)
    held = [Key(key.suite, task, metric) for task, metric in wanted if (task, metric) not in named]
    return [f"{part.task}/{part.metric}" for part in held if part in run.estimates and run.estimates[part].applies]


def _parts(run: Scored, key: Key) -> list[Key]:
    named = [Key(key.suite, part.task, part.metric) for part in run.estimates[key].parts]
    return [part for part in named if part in run.estimates and part != key]


def _reading(run: Scored, key: Key, one: Estimate) -> Iterator[str]:
    """A number of a meter: what the suite makes of the recorded windows."""
    derived = run.derived_readings.get(key)
    if derived is None and any((task.suite, task.task) == (key.suite, key.task) for task in run.record.spec.tasks):
        yield "is a task's, and stands among the readings"
    elif derived is not None and not _same(derived, one):
        yield f"is {_shown(one.value)}, where the recorded windows give {_shown(derived.value)}"


def _same(one: Estimate, other: Estimate) -> bool:
    if one.value is None or other.value is None:
        return one.value is other.value
    kind = (one.unit, one.direction, one.target, one.basis) == (other.unit, other.direction, other.target, other.basis)
    return kind and _near(one.value, other.value)


def _shown(value: float | None) -> str:
    return "absent" if value is None else f"{value:.6g}"


def _near(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_AGREES, abs_tol=_AGREES)
