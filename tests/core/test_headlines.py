"""One score a suite, against means and errors worked out by hand."""

import math

import pytest

from harness.core.headlines import headline_estimates
from harness.core.scores import OVERALL, Estimate, SampleGroup
from harness.core.tasks import Suite


class Taste(Suite):
    """Two tasks of one unit."""

    name = "taste"
    tasks = ("sweet", "sour", "salty")
    headline = (("sweet", "acc"), ("sour", "acc_norm"))


class Smell(Suite):
    """No single score."""

    name = "smell"
    tasks = ("rose",)


def _part(task: str, metric: str = "acc", **fields: object) -> Estimate:
    given = {"value": 0.5, "stderr": 0.03, "low": 0.4, "high": 0.6, "n": 10, **fields}
    return Estimate(suite="taste", task=task, metric=metric, unit="share", direction="higher", signature="s", **given)  # type: ignore[arg-type]


def test_a_headline_is_the_mean_of_its_parts_with_the_error_of_independent_ones() -> None:
    parts = [
        _part("sweet", value=0.6, low=0.45, high=0.64),
        _part("sour", "acc_norm", value=0.2, stderr=0.04, low=0.12, high=0.23, n=30),
    ]
    others = [
        _part("sour", value=0.9),
        _part("sweet", group=SampleGroup("colour", "red"), value=0.1),
        _part("salty", value=0.0),
    ]
    (found,) = headline_estimates([Smell(), Taste()], [*parts, *others], "run")
    assert (found.suite, found.task, found.metric, found.n) == ("taste", OVERALL, "score", 40)
    assert found.value == pytest.approx(0.4)
    assert found.stderr == pytest.approx(0.025)  # root of 0.03² + 0.04², halved
    assert found.low == pytest.approx(0.4 - math.hypot(0.15, 0.08) / 2)  # MOVER of Zou and Donner (2008)
    assert found.high == pytest.approx(0.4 + math.hypot(0.04, 0.03) / 2)
    assert found.signature == "mean-of:sweet/acc+sour/acc_norm|run"


def test_a_single_part_keeps_its_own_interval_and_name() -> None:
    part = _part("sweet", interval="wilson")
    other = _part("sour", "acc_norm", value=None, stderr=None, low=None, high=None, reason="not defined", applies=False)
    (found,) = headline_estimates([Taste()], [part, other], "run")
    assert (found.value, found.stderr, found.low, found.high, found.interval) == (0.5, 0.03, 0.4, 0.6, "wilson")
    assert found.signature == "mean-of:sweet/acc|run"


def test_a_part_that_is_missing_leaves_no_headline_but_a_reason() -> None:
    absent = _part("sour", "acc_norm", value=None, stderr=None, low=None, high=None, reason="all samples are invalid")
    (found,) = headline_estimates([Taste()], [_part("sweet"), absent], "run")
    assert found.value is None
    assert found.applies
    assert found.reason == "no acc_norm of sour: all samples are invalid"


def test_parts_without_errors_give_a_value_without_one() -> None:
    (found,) = headline_estimates([Taste()], [_part("sweet"), _part("sour", "acc_norm", stderr=None, low=None)], "run")
    assert math.isclose(found.value or 0, 0.5)
    assert (found.stderr, found.low) == (None, None)


def test_no_part_at_all_gives_no_headline() -> None:
    assert headline_estimates([Taste()], [_part("salty")], "run") == []
