"""WordSim-353."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.similarity import SimilarityTask

__all__ = ["WordSim353"]


class WordSim353(SimilarityTask):
    """Whether words that people find similar or related lie close to each other.

    What it measures. Spearman's rank correlation of the cosines of 353 pairs of words with people's judgements
    (Finkelstein et al., 2002).

    Why it matters. The oldest yardstick of embeddings. Beside SimLex-999 it shows whether a model follows relatedness
    (computer and keyboard) rather than similarity.

    Limits. Single English words without context, some of them names of 2001, and a pair of a word with itself. Words
    recur in pairs, so the error is somewhat too small.
    """

    name = "wordsim_353"
    data = "wordsim_353"
    default_limit = 353

    @override
    def pair(self, row: Row) -> tuple[str, str, float]:
        """The two words and the mean judgement."""
        return str(row["word1"]), str(row["word2"]), float(row["human_mean"])
