"""What calls of functions bring to a report: what their scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["ToolUseReport"]


class ToolUseReport(SuiteReport):
    """What the suite `tools` brings."""

    order = 67
    evidence = PERFORMANCE
