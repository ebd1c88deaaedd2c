"""What contamination brings to a report: what its scores are evidence towards."""

from harness.core.reports import Evidence, SuiteReport

__all__ = ["ContaminationReport"]


class ContaminationReport(SuiteReport):
    """What the suite `contamination` brings. It has no worries: a p value is no verdict."""

    order = 70
    evidence = Evidence(
        nist="MEASURE 2.3, 2.5", ai_act="Art. 10, 15(1)", why="whether scores may rest on questions seen in training"
    )
