"""Whether a score lies beyond a value that it is held against, as far as its record tells."""

from scipy import special

from harness.core.scores import Estimate
from harness.core.statistics.intervals import upper_tail
from harness.decision.comparison import LEVEL

__all__ = ["implied_p"]


def implied_p(one: Estimate, value: float, ought: float) -> float | None:
    """The two-sided p value of a score that is what it `ought` to be: 1 where its interval holds that, None without.

    It is the one that the interval implies (Altman and Bland, 2011, BMJ 343:d2090). An extreme over groups has what
    chance alone gives beside its interval, and must be beyond both.
    """
    if one.low is None or one.high is None:
        return one.p_value
    if one.low <= ought <= one.high or (one.p_value is not None and one.p_value > LEVEL):
        return 1.0
    reach = value - one.low if value > ought else one.high - value
    if reach <= 0:
        return 0.0
    return 2 * float(special.ndtr(special.ndtri(upper_tail(one.confidence)) * -abs(value - ought) / reach))
