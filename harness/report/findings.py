"""Which scores a test tells from the value that they ought to have: what a report may say of them rests on this."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.scores import Estimate
from harness.core.statistics import holm
from harness.decision.comparison import LEVEL
from harness.decision.context.testing import implied_p

__all__ = ["LEVEL", "Finding", "differing_groups", "findings"]

_COUNT, _LARGEST = "_groups_differing", "_difference"
_EFFECT, _PERMUTED = "effect_size", "p_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A score that is not what it ought to be; `p_value` is corrected by Holm's method (1979) for its family."""

    estimate: Estimate
    p_value: float


def differing_groups(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Counts, above 0, of groups that differ from the others, each by a test of its own, corrected for their number."""
    counts = [one for one in estimates if one.metric.endswith(_COUNT) and one.group is None]
    return [one for one in counts if one.value]


def findings(
    estimates: Sequence[Estimate],
    family: Sequence[Estimate],
    ought: float | None = None,
    *,
    above: bool = True,
    below: bool = True,
) -> list[Finding]:
    """Those of a family whose value lies `above` or `below` what it `ought` to be, beyond chance; the surest first.

    Without `ought` that is the target of each, which all must have then.

    Each is judged by the test that the record, of whose scores `estimates` are all, holds of it: a permutation test,
    where there is one of the score, else its interval, which tells where it ends before what ought to be. The p value
    is then the one that the interval implies (Altman and Bland, 2011, BMJ 343:d2090). An extreme over groups has what
    chance alone gives beside its interval, and must be beyond both.

    The largest of several differences is never among them where the record counts those that differ: it lies above 0
    if chance alone differs, its interval with it, and `differing_groups` is its test. Nor is a score without a test.
    """
    tests = {(one.suite, one.task, one.metric): one for one in estimates if one.group is None}
    judged = []
    for one in family:
        counted = (one.suite, one.task, one.metric.removesuffix(_LARGEST) + _COUNT) in tests
        best = one.target if ought is None else ought
        if one.value is None or best is None or counted:
            continue
        permuted = tests.get((one.suite, one.task, _PERMUTED)) if one.metric == _EFFECT else None
        p_value = permuted.value if permuted else implied_p(one, one.value, best)
        if p_value is not None:
            wanted = above if one.value > best else below
            judged.append((one, p_value if wanted else 1.0))
    corrected = holm([p_value for _, p_value in judged])
    found = [
        Finding(estimate=one, p_value=p_value)
        for (one, _), p_value in zip(judged, corrected, strict=True)
        if p_value <= LEVEL
    ]
    return sorted(found, key=lambda one: one.p_value)
