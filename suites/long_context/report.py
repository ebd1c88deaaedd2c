"""What long contexts bring to a report: what their scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["LongContextReport"]


class LongContextReport(SuiteReport):
    """What the suite `long_context` brings."""

    order = 75
    evidence = PERFORMANCE
