"""Questions some of which have no answer: does the model answer the others, and only these?"""

import re
import string
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Mean, Metric
from harness.core.requests import Response
from harness.core.scores import Direction, Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.core.text.hashing import digest
from harness.core.text.reasons import Reason
from harness.metrics.labels import ClassMetric
from harness.metrics.written import WRITTEN
from harness.tasks.extraction import Extracted, behind_marker
from harness.tasks.rows import choose_evenly
from harness.tasks.written import Draw, Written
from suites.hallucination.abstention import ABSTENTIONS, abstains

__all__ = ["ABSTAINED", "Answerable", "holds_reference"]

ABSTAINED = "\u2205 abstains"
"""What is read in an answer that says that it doesn't know."""
_ABSTAIN, _ANSWER = "abstain", "answer"
_MOST_WORDS = 40
"""Of an answer that can be right: a longer one that holds the reference may hold anything."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans(
    dict.fromkeys(
        string.punctuation + "\u2018\u2019\u201c\u201d\u2010\u2011\u2012\u2013\u2014\u2212\u2026\u00ab\u00bb", ""
    )
)


def _share(name: str, direction: Direction, meaning: str, *, source: str) -> Mean:
    return Mean(name=name, unit="share", direction=direction, lowest=0.0, highest=1.0, source=source, meaning=meaning)


ABSTENTION_RATE = _share(
    "abstention_rate",
    "higher",
    """
    In [0, 1]: of the questions that have no answer, the share on which the model says that it doesn't know, by rules
    for English and Chinese. The others were answered, and so made up; a cut or empty text is no abstention.
    """,
    source="share of unanswerable questions declined: recall of abstention, as in Rajpurkar et al., SQuAD 2.0 (2018)",
)
WRONG_ABSTENTION = _share(
    "wrong_abstention",
    "lower",
    """
    In [0, 1]: of the questions that have an answer, the share on which the model says that it doesn't know. Read it
    beside `abstention_rate`: a model that always abstains has 1 in both.
    """,
    source="share of answerable questions declined, as over-refusal is counted by Röttger et al., XSTest (2024)",
)
ACCURACY_ANSWERABLE = _share(
    "accuracy_answerable",
    "higher",
    """
    In [0, 1]: of the questions that have an answer, the share that is answered rightly: the answer holds a reference as
    whole words and has 40 words at most. Abstained, cut and empty ones aren't right.
    """,
    source="Yin et al., SelfAware (2023): accuracy on answerable questions, by inclusion of a reference",
)
ABSTENTION_F1 = ClassMetric(
    name="abstention_f1",
    unit="F1",
    direction="higher",
    source="Yin et al., Do Large Language Models Know What They Don't Know? (2023): F1 of unanswerable questions",
    figure="f1",
    label=_ABSTAIN,
    nothing=Reason("no question is unanswerable, and none was declined"),
    meaning="""
    In [0, 1]: harmonic mean of the share of unanswerable questions on which the model abstains, and of the share of its
    abstentions that are on these. With as many of both kinds, always abstaining gives 0.67, a coin 0.5, never 0. It
    doesn't look at whether answers are right; `accuracy_all` does.
    """,
)
_ABSTENTION: tuple[Metric, ...] = (ABSTENTION_RATE, WRONG_ABSTENTION, ACCURACY_ANSWERABLE, ABSTENTION_F1)


class Answerable(Written):
    """As many questions with an answer as without; right is the answer, or to say that one doesn't know.

    So `accuracy_all` is what SQuAD 2.0 reports over both kinds; one who always abstains has 0.5.
    """

    metrics: Sequence[Metric] = (*WRITTEN, *_ABSTENTION)
    until: Sequence[str] = ("\n",)
    max_tokens = 32
    definition = MappingProxyType({"abstention": digest(ABSTENTIONS)})

    @abstractmethod
    def references(self, row: Row) -> Sequence[str]:
        """The right answers of a row; none where it is unanswerable."""

    @abstractmethod
    def prompt(self, row: Row) -> str:
        """What the model is asked."""

    def is_usable(self, row: Row) -> bool:  # noqa: ARG002
        """Whether a row of the data set is asked; all by default."""
        return True

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """As many of each kind. Raises `DataError` where the rows are of one kind alone."""
        usable = [index for index, row in enumerate(rows) if index not in self.excluded and self.is_usable(row)]
        kinds = [str(bool(self.references(rows[index]))) for index in usable]
        if len(set(kinds)) < 2:
            raise DataError("needs questions with an answer and questions without", place=self._origin)
        chosen = choose_evenly(kinds, settings, salt=self.name)
        return [self._read(usable[rank], rows) for rank in chosen]

    @override
    def sample(self, row: Row) -> Sample:
        references = tuple(self.references(row))
        return Sample(
            id="",
            prompt=self.prompt(row),
            gold=" | ".join(references) or ABSTAINED,
            fields={"references": references},
        )

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """That it abstains, by which rule; else what stands behind a marker such as `Answer:`, or the whole text."""
        marked = behind_marker(text)
        rule = abstains(text) or (abstains(marked.answer) if marked else None)
        if rule:
            return Extracted(ABSTAINED, f"abstains: {rule}")
        if marked:
            return marked
        return Extracted(text.strip(), "whole text") if any(map(str.isalnum, text)) else None

    @override
    def ballot(self, sample: Sample, answer: str) -> str:
        """The reference that it holds, else its words."""
        held = next((one for one in sample.fields["references"] if holds_reference(answer, [one])), answer)
        return held if answer == ABSTAINED else " ".join(_words(held))

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        references = sample.fields["references"]
        if answer == ABSTAINED or not references:
            return answer == ABSTAINED and not references
        return holds_reference(answer, references)

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Without the metrics that are of the other kind of question."""
        answerable = bool(sample.fields["references"])
        other = {ABSTENTION_RATE.name} if answerable else {WRONG_ABSTENTION.name, ACCURACY_ANSWERABLE.name}
        return [one for one in super().score(sample, responses) if one.metric not in other]

    @override
    def _of_draws(self, sample: Sample, blank: Score, draws: Sequence[Draw]) -> Iterator[Score]:
        yield from super()._of_draws(sample, blank, draws)
        declined = sum(one.found is not None and one.found.answer == ABSTAINED for one in draws) / len(draws)
        right = sum(one.outcome == "right" for one in draws) / len(draws)
        yield replace(blank, metric=ABSTENTION_RATE.name, value=declined)
        yield replace(blank, metric=WRONG_ABSTENTION.name, value=declined)
        yield replace(blank, metric=ACCURACY_ANSWERABLE.name, value=right)
        yield replace(
            blank,
            metric=ABSTENTION_F1.name,
            gold=_ANSWER if sample.fields["references"] else _ABSTAIN,
            predicted=_ABSTAIN if declined > 0.5 else _ANSWER,
        )


def holds_reference(answer: str, references: Sequence[str]) -> bool:
    """Whether an answer of at most 40 words holds one of the references as whole words.

    Case, punctuation and English articles are left aside, as SQuAD's evaluation does.
    """
    words = _words(answer)
    if len(words) > _MOST_WORDS:
        return False
    held = f" {' '.join(words)} "
    return any(f" {' '.join(found)} " in held for found in map(_words, references) if found)


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.casefold().translate(_PUNCTUATION)).split()
