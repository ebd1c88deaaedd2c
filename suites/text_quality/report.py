"""What text quality brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["TextQualityReport"]


class TextQualityReport(SuiteReport):
    """What the suite `bleu` brings."""

    order = 60
    evidence = PERFORMANCE
