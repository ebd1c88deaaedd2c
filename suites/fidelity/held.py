"""The tasks of the suite: news articles, and the questions of two tasks of accuracy."""

from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.piqa import PIQA
from suites.fidelity.choices import FlipTask
from suites.fidelity.texts import DivergenceTask
from suites.perplexity.xsum_documents import XSumDocuments

__all__ = ["CommonsenseQAFlips", "PIQAFlips", "XSumDivergence"]


class XSumDivergence(DivergenceTask):
    """How far the model is from its reference at each token of news articles of the BBC (Narayan et al., 2018).

    What it measures. The Kullback-Leibler divergence of the model's distribution of the next token from the
    reference's, over the first 256 tokens of each article: mean, 99th percentile, by position and by rarity of the
    word; how often both find the same token likeliest; and the ratio of their perplexities.
    `--task fidelity:TASK` does it with another task of perplexity.

    Why it matters. The most sensitive measure of what quantisation, pruning, distillation or a merge did to a model:
    it sees every token's whole distribution, where a score sees one answer a question.

    Limits. English news. It says how much changed, not whether for the worse. The rarity of a word is that among all
    articles of the data set.
    """

    def __init__(self) -> None:
        super().__init__(XSumDocuments())
        self.name = f"fidelity_{self.inner.name}"


class PIQAFlips(FlipTask):
    """Which answers to PIQA (Bisk et al., 2020) are other than the reference's.

    What it measures. The share of the same answers, of the reference's right answers that are lost, of its wrong ones
    that are gained, and the difference of accuracy. Samples, prompts and default size are those of `piqa`, so a run
    that asks both asks the model once. `--task fidelity:TASK` does it with another task.

    Why it matters. Equal accuracy hides flips: whoever relies on single answers meets another model.

    Limits. Those of `piqa`. Answers that are close to call flip by little.
    """

    def __init__(self) -> None:
        super().__init__(PIQA())
        self.name = f"fidelity_{self.inner.name}"


class CommonsenseQAFlips(FlipTask):
    """Which answers to CommonsenseQA (Talmor et al., 2019) are other than the reference's.

    What it measures. The share of the same answers, of the reference's right answers that are lost, of its wrong ones
    that are gained, and the difference of accuracy. Samples, prompts and default size are those of `commonsense_qa`,
    so a run that asks both asks the model once. `--task fidelity:TASK` does it with another task.

    Why it matters. Equal accuracy hides flips: whoever relies on single answers meets another model.

    Limits. Those of `commonsense_qa`. Answers that are close to call flip by little.
    """

    def __init__(self) -> None:
        super().__init__(CommonsenseQA())
        self.name = f"fidelity_{self.inner.name}"
