"""What speech brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["SpeechReport"]


class SpeechReport(SuiteReport):
    """What the suite `speech` brings."""

    order = 65
    evidence = PERFORMANCE
