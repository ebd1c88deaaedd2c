"""Any multiple-choice task or task of perplexity, by strata from common to rare; nothing new is asked for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.errors import DataError, TaskError
from harness.core.metrics import Metric
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.metrics.standard import ACC, ACC_NORM, BITS_PER_BYTE
from harness.tasks.choices import MultipleChoice
from harness.tasks.rolling import WholeText
from harness.tasks.rows import sample_of
from harness.tasks.wrapped import WrappedTask
from suites.long_tail.gap import tail_gap
from suites.long_tail.strata import ATTRIBUTES, Strata

__all__ = ["STRATA", "StrataTask", "strata"]

STRATA = "strata"
"""What stands before the colon: `strata:piqa`."""

_FIX = "Use one such as piqa"

_READ = (ACC_NORM.name, ACC.name, BITS_PER_BYTE.name)
"""The scores that can be looked at by strata, the one to prefer first."""


class StrataTask(WrappedTask[MultipleChoice | WholeText]):
    """A task whose samples are asked as ever, and told apart by how common, how long and how new their texts are.

    What it measures. The task's score (`acc_norm`, else `acc`; of texts `bits_per_byte`) in each third of its texts, by
    three attributes: the mean frequency of their words, their length, and the share of their words that no other text
    of the task has; and by how much the last third is worse than the first.

    Why it matters. A mean over a test set is that of what is common there. Users come with what is rare.

    Limits. Thirds are those of the whole data set, so they hardly hang on the sample. Frequencies are those of words in
    many sorts of text (wordfreq), not of what this model has read. Longer and rarer questions are also other
    questions. In scripts without spaces characters stand for words.
    """

    def __init__(self, inner: MultipleChoice | WholeText) -> None:
        super().__init__(STRATA, inner)
        found = {metric.name: metric for metric in inner.metrics}
        name = next((one for one in _READ if one in found), None)
        if name is None:
            raise TaskError(f"has none of the scores {', '.join(_READ)}", place=self.name, fix=_FIX)
        self.read: Metric = replace(found[name], by=tuple(ATTRIBUTES))
        gaps = (tail_gap(found[name], attribute, names) for attribute, names in ATTRIBUTES.items())
        self.metrics = (self.read, *gaps)
        self.definition: Mapping[str, Any] = MappingProxyType(
            {**inner.definition, "strata": "thirds", "wordfreq": version("wordfreq")}
        )

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, so that a run which asks both asks once; with their strata.

        Raises `TaskError` for a task whose samples aren't the rows of its data set, each by itself.
        """
        samples = self.inner.samples(rows, settings)
        whole = dict(self._whole(rows))
        for sample in samples:
            row = whole.get(sample.id)
            if row is None or row.choices != sample.choices or not sample.prompt.endswith(row.prompt):
                raise TaskError(
                    "rows of a data set are parted: the task makes rows of its own", place=self.name, fix=_FIX
                )
        parted = Strata.of(list(map(_text, whole.values())), self.languages[0])
        return [
            replace(sample, fields={**sample.fields, STRATA: dict(parted.groups(_text(whole[sample.id])))})
            for sample in samples
        ]

    def _whole(self, rows: Sequence[Row]) -> Iterator[tuple[str, Sample]]:
        """Each row that can be asked, by the id of its sample."""
        for index, row in enumerate(rows):
            if index in self.inner.excluded:
                continue
            try:
                sample = sample_of(self.inner, row)
            except DataError:
                continue  # the task itself says what is wrong with a row that it asks
            yield self.inner.sample_id(index, row), sample

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the task itself."""
        return self.inner.requests(sample)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """The task's score, for each metric, with the sample's strata."""
        (found,) = (one for one in self.inner.score(sample, responses) if one.metric == self.read.name)
        return [replace(found, metric=metric.name, groups=sample.fields[STRATA]) for metric in self.metrics]


def _text(sample: Sample) -> str:
    """The question and its choices."""
    return " ".join([sample.prompt, *sample.choices])


def strata(task: Task) -> StrataTask:
    """The multiple-choice task or task of perplexity, by strata. Raises `TaskError` for another sort."""
    if not isinstance(task, MultipleChoice | WholeText):
        raise TaskError(
            "strata are those of questions with choices and of texts that are read: the task has neither",
            place=f"{STRATA}:{task.name}",
            fix=_FIX,
        )
    if task.data is None:
        raise TaskError("rows of a data set are parted: the task has none", place=f"{STRATA}:{task.name}", fix=_FIX)
    return StrataTask(task)
