"""What explainability brings to a report: what its scores are evidence towards."""

from harness.core.reports import Evidence, SuiteReport

__all__ = ["ExplainabilityReport"]


class ExplainabilityReport(SuiteReport):
    """What the suite `explainability` brings."""

    order = 15
    evidence = Evidence(
        nist="MEASURE 2.9",
        ai_act="Art. 13(3)(b)(iv), 13(3)(b)(vii)",
        why="information with which to interpret the output",
    )
