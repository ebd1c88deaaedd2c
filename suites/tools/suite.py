"""Does the model call the functions that it is given as it should?"""

from harness.core.tasks import Suite

__all__ = ["ToolUse"]


class ToolUse(Suite):
    """Calls of functions: the right one with the right arguments, several at once, or none where none fits.

    What it measures. The share of requests of the Berkeley Function Calling Leaderboard (Patil et al., 2025) that are
    answered with the right calls, for one function, for a choice, for several calls and for functions that don't fit;
    how many answers can be read as calls, and how many call what wasn't given; with bounds around what was cut.

    Limits. A single turn, functions as in Python, nothing is run. By default 4 requests of each kind and 96 tokens,
    which is a first look. Ask chat models with `--apply-chat-template`, so that functions are given in their own
    format. A model that never makes a call gets none of three tasks and all of the fourth: the suite's score is the
    mean of the four, so read them apart.
    """

    name = "tools"
    title = "Tool use"
    report = "suites.tools.report:ToolUseReport"
    tasks = ("bfcl_simple", "bfcl_multiple", "bfcl_parallel", "bfcl_irrelevance")
    headline = (
        ("bfcl_simple", "accuracy_all"),
        ("bfcl_multiple", "accuracy_all"),
        ("bfcl_parallel", "accuracy_all"),
        ("bfcl_irrelevance", "accuracy_all"),
    )
