"""What perplexity brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["PerplexityReport"]


class PerplexityReport(SuiteReport):
    """What the suite `perplexity` brings."""

    order = 60
    evidence = PERFORMANCE
