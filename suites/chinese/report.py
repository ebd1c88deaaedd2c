"""What Chinese brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["ChineseReport"]


class ChineseReport(SuiteReport):
    """What the suite `chinese` brings."""

    order = 64
    evidence = PERFORMANCE
