"""Pseudo-perplexity: how well a masked language model fills in each token of a text, given all the others."""

from collections.abc import Mapping, Sequence

from typing_extensions import override

from harness.core.metrics import Metric, PerUnit
from harness.core.requests import PseudoLoglikelihood, Response
from harness.core.tasks import Sample
from harness.core.text.words import words
from harness.tasks.rolling import WholeText

__all__ = ["PSEUDO_TOKEN_PERPLEXITY", "PSEUDO_WORD_PERPLEXITY", "PseudoPerplexity"]

_SOURCE = (
    "Salazar, Liang, Nguyen and Kirchhoff, Masked Language Model Scoring (ACL 2020), each token masked with the rest "
    "of its word (Kauf and Ivanova, ACL 2023)"
)

PSEUDO_TOKEN_PERPLEXITY = PerUnit(
    name="pseudo_token_perplexity",
    unit="per token",
    direction="lower",
    source=f"{_SOURCE}: exp of the mean negative pseudo-log-likelihood per token",
    transform="exp",
    meaning="""
    From 1 up. Per token of the model's own tokenizer, and no perplexity: compare it only between masked models that
    share a tokenizer.
    """,
)

PSEUDO_WORD_PERPLEXITY = PerUnit(
    name="pseudo_word_perplexity",
    unit="per word",
    direction="lower",
    source=f"{_SOURCE}: exp of the negative pseudo-log-likelihood per word, cut at spaces or as the script asks",
    transform="exp",
    meaning="From 1 up. Comparable between masked models, whatever their tokenizers; never with a perplexity.",
)


class PseudoPerplexity(WholeText):
    """The pseudo-log-likelihood of each text: every token is predicted from what stands on both sides of it.

    So it lies far below a perplexity, and the two can't be compared: the probabilities of the tokens don't multiply to
    that of the text.
    """

    metrics: Sequence[Metric] = (PSEUDO_TOKEN_PERPLEXITY, PSEUDO_WORD_PERPLEXITY)
    asks = (PseudoLoglikelihood,)
    answer_name = "pseudo-log-likelihood"

    @override
    def requests(self, sample: Sample) -> Sequence[PseudoLoglikelihood]:
        """One pseudo-log-likelihood."""
        return [PseudoLoglikelihood(text=sample.prompt)]

    @override
    def units(self, text: str, response: Response) -> Mapping[str, int]:
        return {
            PSEUDO_TOKEN_PERPLEXITY.name: response.token_count,
            PSEUDO_WORD_PERPLEXITY.name: len(words(text)),
        }
