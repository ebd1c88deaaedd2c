"""What code brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["CodingReport"]


class CodingReport(SuiteReport):
    """What the suite `code` brings."""

    order = 60
    evidence = PERFORMANCE
