"""What a metric says becomes an estimate; what is no number becomes the reason of its absence."""

import math
from dataclasses import dataclass

import pytest

from harness.core.metrics import Metric
from harness.core.scores import Estimate, Score
from harness.core.statistics import Interval
from harness.run.judgement import estimate_metric

FIELDS = {"suite": "s", "task": "t", "metric": "m", "n": 1, "unit": "u", "direction": "higher", "signature": ""}


@dataclass(frozen=True, kw_only=True)
class _Says(Metric):
    found: Interval

    def reduce(self, *_scores, **_more):
        return self.found


def estimated(value, *, stderr=1.0, low=0.0, high=2.0):
    found = Interval(value=value, stderr=stderr, low=low, high=high, method="t")
    metric = _Says(name="m", unit="u", direction="higher", source="-", found=found)
    return estimate_metric(metric, [Score(sample_id="0", metric="m")], suite="s", task="t", seed=0, signature="")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_absent_with_the_reason(value):
    found = estimated(value)
    assert (found.value, found.low, found.stderr) == (None, None, None)
    assert "not a number" in (found.reason or "")
    with pytest.raises(ValueError, match="finite"):
        Estimate(**FIELDS, value=value)


@pytest.mark.parametrize("errors", [{"high": math.inf}, {"stderr": math.nan}, {"low": -math.inf}])
def test_errors_that_are_no_numbers_are_left_out_and_the_value_stays(errors):
    found = estimated(1e300, **errors)
    assert (found.value, found.stderr, found.low, found.high, found.interval) == (1e300, None, None, None, None)
