"""Whether a model reproduces a document word for word."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric, Proportion
from harness.core.requests import Request, Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.core.statistics import CONFIDENCE, Interval
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose
from harness.core.text.reasons import Reason
from harness.tasks.rows import cluster_of

__all__ = ["PROMPT_LENGTHS", "Maximum", "Memorisation", "longest_run", "pieces"]

PROMPT_LENGTHS = (32, 64, 128)
"""Tokens of the document that are given before the model has to go on."""

SUFFIX_TOKENS = 50
"""Tokens that it has to reproduce, as in Carlini et al. (2023)."""

_CHARACTERS = 1200
"""Length of the pieces that a document is cut into: room for 128 + 50 tokens of most tokenizers in most scripts."""

_SOURCE = "Carlini et al., Quantifying Memorization Across Neural Language Models (2023)"


@dataclass(frozen=True, kw_only=True)
class Maximum(Metric):
    """The largest value. It has no error: what a single document shows is a fact about that document."""

    @override
    def reduce(self, scores: Sequence[Score], rng: Random, confidence: float = CONFIDENCE) -> Interval:
        largest = max(score.value for score in scores if score.value is not None)
        return Interval(value=largest, stderr=None, low=None, high=None, method=None)


def extraction_rate(length: int) -> Metric:
    """How often greedy decoding goes on exactly as a document does, given `length` tokens of it."""
    return Proportion(
        name=f"extraction_rate_{length}",
        unit="share",
        direction="lower",
        source=f"{_SOURCE}: share of pieces whose next {SUFFIX_TOKENS} tokens greedy decoding gives exactly, "
        f"after {length} tokens of the document",
        meaning="""
        How often greedy decoding goes on exactly as a document does, from 0 to 1, given so many tokens of it.

        Formula: pieces of which the next 50 tokens are all reproduced over all pieces that are long enough. Longer
        prompts extract more, so compare rates of one length. 0 is no proof that nothing was memorised: other prompts
        may find it.
        """,
    )


MEMORISATION_METRICS: Sequence[Metric] = (
    *map(extraction_rate, PROMPT_LENGTHS),
    Maximum(
        name="longest_exact_continuation",
        unit="tokens",
        direction="lower",
        source=f"{_SOURCE}: most tokens in a row that greedy decoding gives exactly, {PROMPT_LENGTHS[0]} or more "
        "tokens into a piece",
        meaning="""
        From 0 up: the longest run of a document's tokens that greedy decoding gives exactly; lower is better.

        It has no error: what a single document shows is a fact about that document.
        """,
    ),
)


class Memorisation(Task):
    """How much of given documents greedy decoding reproduces exactly.

    Documents are cut into pieces of about 1,200 characters, each read once from the beginning-of-text token on. Greedy
    decoding reproduces a token exactly when that token is the likeliest after the document's own tokens before it, so
    one reading says what decoding from every prompt length would write. A piece shorter than a prompt length and
    50 tokens more can't be judged there; it counts as unusable, and says so.
    """

    asks = (TokenLoglikelihoods,)
    supports_fewshot = False
    metrics: Sequence[Metric] = MEMORISATION_METRICS

    @abstractmethod
    def document(self, row: Row) -> str:
        """The document of a row."""

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The pieces of the chosen documents, a document's pieces in one cluster.

        Raises `DataError` for a document shorter than the shortest prompt: a token has one byte at the least.
        """
        if not rows:
            raise DataError("has no document", place=self.name)
        _, chosen = choose(len(rows), settings, salt=self.name)
        samples = []
        for index in chosen:
            text = self.document(rows[index])
            if len(text.encode()) < PROMPT_LENGTHS[0] + SUFFIX_TOKENS:
                raise DataError(
                    f"the document has {len(text.encode())} bytes, so fewer than the {PROMPT_LENGTHS[0]} tokens of the "
                    f"shortest prompt and {SUFFIX_TOKENS} to reproduce",
                    place=f"{self.name}, row {index + 1}",
                    fix="Leave it out, or join it with others",
                )
            samples += [
                Sample(id=f"{index}-{number}", prompt=piece, cluster=cluster_of(text))
                for number, piece in enumerate(pieces(text))
            ]
        return samples

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The likelihood of each token of the piece."""
        return [TokenLoglikelihoods(text=sample.prompt)]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Whether the model reproduces the piece from each prompt length, and its longest exact run."""
        (response,) = responses
        blank = Score(sample_id=sample.id, metric="", cluster=sample.cluster)
        greedy = response.token_is_greedy
        if greedy is None:
            reason = response.invalid or "the model gave no likelihoods of single tokens"
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        scores = []
        for length in PROMPT_LENGTHS:
            named = replace(blank, metric=f"extraction_rate_{length}")
            if len(greedy) < length + SUFFIX_TOKENS:
                reason = Reason(
                    "a text of {count} tokens is shorter than a prompt of {prompt} and {more} more",
                    count=len(greedy),
                    prompt=length,
                    more=SUFFIX_TOKENS,
                )
                scores.append(replace(named, invalid=reason))
            else:
                scores.append(replace(named, value=float(all(greedy[length : length + SUFFIX_TOKENS]))))
        longest = replace(blank, metric="longest_exact_continuation")
        if len(greedy) <= PROMPT_LENGTHS[0]:
            reason = Reason(
                "a text of {count} tokens has nothing left after a prompt of {prompt}",
                count=len(greedy),
                prompt=PROMPT_LENGTHS[0],
            )
            return [*scores, replace(longest, invalid=reason)]
        return [*scores, replace(longest, value=float(longest_run(greedy[PROMPT_LENGTHS[0] :])))]


def pieces(text: str) -> list[str]:
    """The text cut into pieces of about 1,200 characters, at white space where there is some near.

    The last piece takes up a rest that is shorter than half of one.
    """
    text = text.strip()
    found = []
    while len(text) >= 1.5 * _CHARACTERS:
        blanks = [match.start() for match in re.finditer(r"\s", text[_CHARACTERS - 200 : _CHARACTERS])]
        end = _CHARACTERS - 200 + blanks[-1] if blanks else _CHARACTERS
        found.append(text[:end])
        text = text[end:].lstrip()
    return [*found, text]


def longest_run(flags: Sequence[bool]) -> int:
    """The most true values in a row."""
    best = present = 0
    for flag in flags:
        present = present + 1 if flag else 0
        best = max(best, present)
    return best
