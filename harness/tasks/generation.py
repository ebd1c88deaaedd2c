"""Generation: the model writes an answer, which is compared with a reference."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import GenerateUntil, Response
from harness.core.scorers import TextMatcher
from harness.core.scores import Score
from harness.core.tasks import Row, Sample
from harness.metrics.bertscore import bertscore_metrics
from harness.metrics.standard import EXACT_MATCH
from harness.metrics.texts import TextMetric
from harness.tasks.rows import RowTask

__all__ = ["Generation"]


class Generation(RowTask):
    """A question with a reference answer; the model decodes greedily, or follows `num_beams` where that is above 1.

    Decoding stops at the end-of-text token, at any string of `until`, or after `max_tokens` tokens. Space at both
    ends of answer and reference is left aside.
    """

    metrics: Sequence[Metric] = (EXACT_MATCH,)
    asks = (GenerateUntil,)
    until: Sequence[str] = ("\n",)
    max_tokens: int = 64
    num_beams: int = 1

    @abstractmethod
    def question(self, row: Row) -> str:
        """The prompt of a row, up to where the answer goes; it doesn't end in a space."""

    @abstractmethod
    def reference(self, row: Row) -> str:
        """The right answer."""

    def use_matcher(self, matcher: TextMatcher) -> None:
        """Compare by BERTScore too from here on."""
        self.metrics = (*self.metrics, *bertscore_metrics(matcher))
        self.definition = MappingProxyType({**self.definition, "matcher": dict(matcher.identity)})

    @override
    def sample(self, row: Row) -> Sample:
        reference = self.reference(row).strip()
        if not reference:
            raise DataError("the reference is empty")
        return Sample(id="", prompt=self.question(row), gold=reference)

    @override
    def answer(self, sample: Sample) -> str:
        """The reference."""
        assert isinstance(sample.gold, str)
        return sample.gold

    @override
    def requests(self, sample: Sample) -> Sequence[GenerateUntil]:
        """One generation without sampling."""
        return [
            GenerateUntil(
                context=sample.prompt,
                until=tuple(self.until),
                max_tokens=self.max_tokens,
                num_beams=self.num_beams,
            )
        ]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, with both texts: what the metric reads in them, or else whether they are equal.

        None for a metric that the reference is too short for.
        """
        (response,) = responses
        assert isinstance(sample.gold, str)
        blank = Score(sample_id=sample.id, metric="", gold=sample.gold, cluster=sample.cluster)
        if response.text is None:
            blank = replace(blank, invalid=response.invalid or "the model gave no text")
        else:
            written = response.text.strip()
            blank = replace(blank, predicted=written, value=float(written == sample.gold))
            read = {metric.name: metric for metric in self.metrics if isinstance(metric, TextMetric)}
            values = {name: metric.fields(sample.gold, written) for name, metric in read.items()}
            found = ((metric.name, values.get(metric.name, {})) for metric in self.metrics)
            return [replace(blank, metric=name, **fields) for name, fields in found if fields is not None]
        return [replace(blank, metric=metric.name) for metric in self.metrics]
