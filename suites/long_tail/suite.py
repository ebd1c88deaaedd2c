"""Does the model hold on what is rare, and does it show what it was not asked for?"""

from harness.core.tasks import Suite

__all__ = ["LongTail"]


class LongTail(Suite):
    """How much worse the model does on rare, long and new texts, and whether it shows inputs that don't belong.

    What it measures. The scores of four tests of choice and of one of perplexity in thirds of their texts, by the
    frequency of the words, by length and by new words, with the gap between the first and the last third, its interval
    and its test. Bits per byte of texts of six domains, and bits per word by how rare it is. How well the probability,
    the entropy and the energy of its answers tell sentences that are no film reviews from film reviews. All but those
    sentences and the texts of six domains is asked by other suites anyway, and computed once.

    Limits. Word frequencies are those of many sorts of text, not of the model's own training. Thirds differ in more
    than what they are told by. A third of a small sample is smaller still: read the intervals.
    """

    name = "long_tail"
    title = "Long tail"
    report = "suites.long_tail.report:LongTailReport"
    tasks = (
        "strata_piqa",
        "strata_siqa",
        "strata_commonsense_qa",
        "strata_boolq",
        "strata_wikitext_sentences",
        "outside_imdb",
        "outside_imdb_classifier",
        "texts_by_domain",
    )
