"""Perplexity: how well the model predicts whole texts."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import LoglikelihoodRolling, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.core.text.reasons import Reason
from harness.core.text.words import words
from harness.metrics.standard import BITS_PER_BYTE, BYTE_PERPLEXITY, TOKEN_PERPLEXITY, WORD_PERPLEXITY
from harness.tasks.rows import RowTask

__all__ = ["RollingPerplexity", "WholeText"]


class WholeText(RowTask):
    """How likely each text is as a whole, in nats, spread over units such as tokens or words.

    Words are what white space separates, as lm-evaluation-harness counts them but for space at the ends of a text,
    where it counts an empty word more. In scripts without spaces each character counts as a word.
    """

    supports_fewshot = False
    answer_name = "log-likelihood"

    @abstractmethod
    def text(self, row: Row) -> str:
        """The text of a row."""

    @abstractmethod
    def units(self, text: str, response: Response) -> Mapping[str, int]:
        """How many units the nats are spread over, by the name of the metric."""

    @override
    def sample(self, row: Row) -> Sample:
        text = self.text(row)
        if not text.strip():
            raise DataError("the text is empty")
        return Sample(id="", prompt=text)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """For each metric, the nats of the text and the number of units they are spread over."""
        (response,) = responses
        if response.loglikelihood is None:
            reason = response.invalid or Reason("the model gave no {name}", name=self.answer_name)
            return [
                Score(sample_id=sample.id, metric=metric.name, cluster=sample.cluster, invalid=reason)
                for metric in self.metrics
            ]
        units = self.units(sample.prompt, response)
        return [
            Score(
                sample_id=sample.id,
                metric=metric.name,
                value=-response.loglikelihood,
                weight=float(units[metric.name]),
                cluster=sample.cluster,
            )
            for metric in self.metrics
        ]


class RollingPerplexity(WholeText):
    """The log-likelihood of each text, every token predicted once.

    The perplexity per token depends on how the model's tokenizer cuts: compare it only between models that share
    one. Those per word and per byte, and bits per byte, are comparable. Bytes are those of UTF-8. `max_length` and
    `stride` cut long texts into windows, as `LoglikelihoodRolling` says.
    """

    metrics: Sequence[Metric] = (TOKEN_PERPLEXITY, WORD_PERPLEXITY, BYTE_PERPLEXITY, BITS_PER_BYTE)
    asks = (LoglikelihoodRolling,)
    max_length: int | None = None
    stride: int | None = None

    @override
    def requests(self, sample: Sample) -> Sequence[LoglikelihoodRolling]:
        """One rolling log-likelihood."""
        return [LoglikelihoodRolling(text=sample.prompt, max_length=self.max_length, stride=self.stride)]

    @override
    def units(self, text: str, response: Response) -> Mapping[str, int]:
        byte_count = len(text.encode())
        return {
            TOKEN_PERPLEXITY.name: response.token_count,
            WORD_PERPLEXITY.name: len(words(text)),
            BYTE_PERPLEXITY.name: byte_count,
            BITS_PER_BYTE.name: byte_count,
        }
