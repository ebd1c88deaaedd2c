"""Tasks for models with a head that labels words: which entities a sentence holds."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from typing_extensions import override

from harness.core import statistics
from harness.core.checkpoints import Checkpoint
from harness.core.errors import DataError
from harness.core.metrics import Metric, Undefined
from harness.core.requests import Response, Tag
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval, Statistic
from harness.core.tasks import Row, Sample
from harness.core.text.reasons import Reason
from harness.metrics.entities import Entity, entities, entity_type
from harness.tasks.classification import unmatched
from harness.tasks.rows import RowTask

__all__ = ["EntityMetric", "Tagging", "entity_metrics"]

_NOTHING = {
    "precision": "the model found no entity",
    "recall": "the data have no entity",
    "f1": "neither the data nor the model have an entity",
}
"""Why each measure is undefined."""

_SOURCE = "Tjong Kim Sang and De Meulder (2003), entities exact in bounds and type, as in seqeval (Nakayama, 2018)"


@dataclass(frozen=True, kw_only=True)
class EntityMetric(Metric):
    """Precision, recall or F1, in [0, 1], of the entities that a model finds; higher is better.

    An entity is found where bounds and type are right. Precision is the share of the model's entities that are found,
    recall that of the data's, F1 twice those found over the number of both. The interval is that of a bounded ratio
    over sentences.
    """

    measure: str
    """precision, recall or f1."""
    type: str | None = None
    """The type of the entities that it counts, None for all of them."""

    def counted(self, gold: Sequence[Entity], found: Sequence[Entity]) -> tuple[float, float]:
        """Value and weight of one sentence."""
        right, wanted, given = (
            sum(self.type in (None, entity.type) for entity in some) for some in (set(gold) & set(found), gold, found)
        )
        if self.measure == "precision":
            return right, given
        return (right, wanted) if self.measure == "recall" else (2 * right, wanted + given)

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        values, weights = self._columns(scores)
        if not sum(weights):
            nothing = _NOTHING[self.measure]
            raise Undefined(
                nothing if self.type is None else Reason("{nothing} (type {type})", nothing=nothing, type=self.type)
            )
        return statistics.bounded_ratio(values, weights, [score.cluster for score in scores], confidence)

    @override
    def resampled(self, scores: Sequence[Score]) -> Statistic:
        values, weights = self._columns(scores)
        return statistics.ratio_of(np.array(values), np.array(weights))

    def _columns(self, scores: Sequence[Score]) -> tuple[list[float], list[float]]:
        values = [score.value for score in scores if score.value is not None]
        if len(values) < len(scores):
            raise Undefined("a sentence has no value")
        return values, [score.weight for score in scores]


def entity_metrics(types: Sequence[str]) -> tuple[EntityMetric, ...]:
    """Precision, recall and F1 over all entities, then by type, each in [0, 1]; absent where nothing can be counted."""
    return tuple(
        EntityMetric(
            name=f"{measure}_{type_}" if type_ else measure,
            unit="F1" if measure == "f1" else "share of entities",
            direction="higher",
            source=_SOURCE,
            measure=measure,
            type=type_,
        )
        for type_ in (None, *types)
        for measure in ("precision", "recall", "f1")
    )


class Tagging(RowTask):
    """Sentences whose words bear tags, in IOB1, IOB2 or IOBES; `types` are those of the entities.

    An entity counts as found where bounds and type are right, by the conventions of `entities`. Model and data may use
    different schemes; a type of the model that the task doesn't know counts against its precision.
    """

    asks = (Tag,)
    supports_fewshot = False
    types: Sequence[str] = ()
    metrics: Sequence[Metric] = ()

    @abstractmethod
    def words(self, row: Row) -> Sequence[str]:
        """The words of a row."""

    @abstractmethod
    def tags(self, row: Row) -> Sequence[str]:
        """The right tag of each word."""

    @override
    def sample(self, row: Row) -> Sample:
        words, tags = tuple(self.words(row)), tuple(self.tags(row))
        if len(words) != len(tags):
            raise DataError(f"has {len(words)} words and {len(tags)} tags")
        if not words:
            raise DataError("has no words")
        for tag in tags:
            if (found := entity_type(tag)) is not None and found not in self.types:
                raise DataError(f"the tag {tag!r:.40} is of none of the types {', '.join(self.types)}")
        return Sample(id="", prompt=" ".join(words), gold=" ".join(tags), fields={"words": words, "tags": tags})

    @override
    def requests(self, sample: Sample) -> Sequence[Tag]:
        """One request for the sentence."""
        return [Tag(words=sample.fields["words"])]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric: entities counted, over what they are counted among."""
        (response,) = responses
        assert isinstance(sample.gold, str)
        blank = Score(sample_id=sample.id, metric="", gold=sample.gold, cluster=sample.cluster)
        if response.tags is None:
            reason = response.invalid or "the model gave no tags"
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        gold = entities(sample.fields["tags"])
        found = [replace(entity, type=self._known(entity.type)) for entity in entities(response.tags)]
        predicted = " ".join(response.tags)
        scores = []
        for metric in self.metrics:
            assert isinstance(metric, EntityMetric)
            value, weight = metric.counted(gold, found)
            scores.append(replace(blank, metric=metric.name, predicted=predicted, value=value, weight=weight))
        return scores

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        found = dict.fromkeys(type_ for label in checkpoint.labels if (type_ := entity_type(label)) is not None)
        return unmatched(self.types, list(found))

    def _known(self, type_: str) -> str:
        """The task's own spelling of a model's type."""
        return next((one for one in self.types if one.casefold() == type_.casefold()), type_)
