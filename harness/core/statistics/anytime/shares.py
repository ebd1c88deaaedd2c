"""A test of a share that holds at every moment and knows only the counts."""

import math

from scipy import special

__all__ = ["share_log_wealth"]


def share_log_wealth(hits: int, count: int, share: float) -> float:
    """The logarithm of the evidence that more than a `share` in [0, 1) of the things counted are hits.

    The likelihood ratio of all larger shares, each as likely as the others beforehand, to that one: where the truth is
    at most the `share` it is not expected to grow (Ville, 1939; a mixture as in Robbins, 1970), so that it ever reaches
    -log(alpha) has a chance of at most alpha. It hangs on no order.
    """
    if share == 0:
        return math.inf if hits else 0.0
    misses = count - hits
    tail = float(special.betaincc(hits + 1, misses + 1, share))
    if not tail:
        return -math.inf
    mixed = float(special.betaln(hits + 1, misses + 1)) + math.log(tail) - math.log1p(-share)
    return mixed - hits * math.log(share) - misses * math.log1p(-share)
