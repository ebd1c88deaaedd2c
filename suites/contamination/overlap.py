"""Whether a task's questions stand in a corpus that the user names, and how the model does on those that don't."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.metrics import MeanShare, Metric, Proportion
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.reasons import Reason
from harness.tasks.choices import MultipleChoice
from harness.tasks.wrapped import WrappedTask
from suites.contamination.corpus import LONGEST, SHORTEST, Run, corpus_files, runs_of, search, tell_skipped

__all__ = ["NO_CORPUS", "OVERLAP_METRICS", "OverlapTask"]

NO_CORPUS = Reason("it looks for its questions in a corpus, which --corpus names")

_LABEL = re.compile(r"^\s*\w+:\s*")
"""What a prompt puts in front of a line, such as `Question:`."""
_STANDS, _CLEAN, _SHORT = "found", "not found", "too short"
_FOUND = "overlap"

OVERLAP = Proportion(
    name="ngram_overlap",
    unit="share",
    direction="lower",
    source=f"Brown et al., GPT-3 (2020), appendix C: share of samples of which {LONGEST} words in a row are there",
    meaning=f"""
    Share of the samples, in [0, 1], of whose question or choices {LONGEST} words in a row stand in the corpus, case and
    punctuation aside; all words of a text that has {SHORTEST} to {LONGEST - 1}. Shorter texts can't be told from common
    phrases and are left out.

    A question that stands in the corpus need not have its answer there, and one that was paraphrased isn't found.
    """,
)
CLEAN_ACCURACY = MeanShare(
    name="score_by_overlap",
    unit="first metric",
    direction="higher",
    source="the task's first metric, by whether the sample stands in the corpus",
    by=(_FOUND,),
    main_group={_FOUND: _CLEAN},
    lowest=0.0,
    meaning="""
    The mean of the task's first metric over the samples of which nothing stands in the corpus, and by group over those
    of which something does: what the score is without them. That those found score higher may have other reasons, such
    as that they are well known.
    """,
)
OVERLAP_METRICS: Sequence[Metric] = (OVERLAP, CLEAN_ACCURACY)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is looked for of a sample."""

    sample: Sample
    runs: frozenset[Run]


class OverlapTask(WrappedTask[MultipleChoice]):
    """A task with choices, whose questions are looked for in a corpus of the user's.

    What it measures. The share of the questions of which 13 words in a row stand in the corpus, in the question or in a
    choice (as for GPT-3; Brown et al., 2020), and the score on those that don't, and on those that do.

    Why it matters. Whoever has the training data, or what they were drawn from, can look.

    Limits. Exact words alone: no paraphrases, no translations. Questions and choices of fewer than 8 words can't be
    looked for. It says what the corpus holds, not what the model read of it.
    """

    metrics = OVERLAP_METRICS

    def __init__(self, inner: MultipleChoice) -> None:
        super().__init__("overlap", inner)
        self.definition: Mapping[str, Any] = MappingProxyType(
            {"inner": dict(inner.definition)} if inner.definition else {}
        )
        self._corpus: Path | None = None

    def use_corpus(self, folder: Path) -> None:
        """Look in this folder from here on. Raises `InputError` where there is nothing to look in."""
        corpus_files(folder)
        tell_skipped(folder)
        self._corpus = folder

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        return super().refusal(checkpoint) or (NO_CORPUS if self._corpus is None else None)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples of the task itself, each with whether it stands in the corpus."""
        looked = [_Looked(sample, _runs(sample)) for sample in self.inner.samples(rows, settings)]
        if self._corpus is None:
            return [replace(one.sample, fields={**one.sample.fields, _FOUND: _CLEAN}) for one in looked]
        found = search(self._corpus, {run for one in looked for run in one.runs})
        self.definition = MappingProxyType({**self.definition, "corpus_sha256": found.sha256})
        return [
            replace(one.sample, fields={**one.sample.fields, _FOUND: _said(one.runs, found.runs)}) for one in looked
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """Those of the task itself, so that a run which asks both asks once."""
        return self.inner.requests(sample)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Whether the sample was found, where it could be; and the task's first score, by that."""
        found = str(sample.fields[_FOUND])
        first = self.inner.score(sample, responses)[0]
        scores = [replace(first, metric=CLEAN_ACCURACY.name, groups={**first.groups, _FOUND: found})]
        if found != _SHORT:
            value = None if first.invalid else float(found == _STANDS)
            one = Score(sample_id=sample.id, metric=OVERLAP.name, value=value, cluster=sample.cluster)
            scores.insert(0, replace(one, invalid=first.invalid))
        return scores


def _runs(sample: Sample) -> frozenset[Run]:
    """Of each line of the question, without its label, and of each choice."""
    lines = [_LABEL.sub("", line) for line in sample.prompt[sample.question_start :].splitlines()]
    return frozenset(run for text in (*lines, *sample.choices) for run in runs_of(text))


def _said(runs: frozenset[Run], found: frozenset[Run]) -> str:
    return _SHORT if not runs else _STANDS if runs & found else _CLEAN
