"""What instructions bring to a report: what their scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["InstructionsReport"]


class InstructionsReport(SuiteReport):
    """What the suite `instructions` brings."""

    order = 66
    evidence = PERFORMANCE
