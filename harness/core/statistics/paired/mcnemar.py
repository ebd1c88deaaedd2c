"""Did as many samples get better as got worse?"""

from scipy import special

__all__ = ["exact_mcnemar"]


def exact_mcnemar(gained: int, lost: int) -> float:
    """The two-sided p value of the exact test of McNemar (1947): are gains and losses equally likely?

    Samples that agree say nothing. 1 where none differs.
    """
    differing = gained + lost
    if differing == 0:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(gained, lost), differing, 0.5)))
