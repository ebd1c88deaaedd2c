"""Do the vectors of a sentence encoder lie as people would put them?"""

from harness.core.tasks import Suite

__all__ = ["Similarity"]


class Similarity(Suite):
    """How well the cosines of a sentence encoder's vectors follow people's judgements of similarity.

    What it measures. Spearman's rank correlation, with a bootstrap interval; higher is better.

    Limits. Defined for sentence encoders alone. English words out of context say little about whole sentences.
    """

    name = "similarity"
    title = "Similarity"
    report = "suites.similarity.report:SimilarityReport"
    tasks = ("simlex_999", "wordsim_353")
    headline = (
        ("simlex_999", "spearman"),
        ("wordsim_353", "spearman"),
    )
