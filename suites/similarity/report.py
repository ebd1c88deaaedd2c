"""What similarity brings to a report: what its scores are evidence towards."""

from harness.core.reports import PERFORMANCE, SuiteReport

__all__ = ["SimilarityReport"]


class SimilarityReport(SuiteReport):
    """What the suite `similarity` brings."""

    order = 60
    evidence = PERFORMANCE
