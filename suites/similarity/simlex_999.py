"""SimLex-999."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.similarity import SimilarityTask

__all__ = ["SimLex999"]


class SimLex999(SimilarityTask):
    """Whether words that people find similar lie close to each other, related ones apart.

    What it measures. Spearman's rank correlation of the cosines of 999 pairs of words with the similarity that
    people see in them (Hill, Reichart and Korhonen, 2015). Coffee and cup are related and not similar.

    Why it matters. Search, clustering and de-duplication by embeddings stand and fall with it.

    Limits. Single English words without context, where encoders of sentences are not at home. People agree with each
    other to about 0.67, and with the mean of the others to 0.78. Words recur in pairs, so the error is somewhat
    too small.
    """

    name = "simlex_999"
    data = "simlex_999"
    default_limit = 999

    @override
    def pair(self, row: Row) -> tuple[str, str, float]:
        """The two words and the mean judgement."""
        return str(row["#word1"]), str(row["word2"]), float(row["SimLex999"])
