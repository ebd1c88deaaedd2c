"""Questions that a model answers in its own words: once or several times, each answer right, wrong, cut or unread."""

import statistics
from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, Self

from typing_extensions import override

from harness.core.errors import InputError, RecordError
from harness.core.metrics import Metric
from harness.core.requests import GenerateUntil, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.core.text.codec import Codec
from harness.core.text.reasons import Reason
from harness.metrics.written import ACCURACY, BUDGET, CHANCE, DRAWS, WRITTEN, budgets, of_draws, pass_at_k, pass_hat_k
from harness.tasks.extraction import Extracted
from harness.tasks.rows import RowTask
from harness.tasks.sampling import Sampling

__all__ = ["Draw", "Outcome", "Written"]

Outcome = Literal["right", "wrong", "cut", "unparsed"]

_UNCOUNTED = "the server doesn't count the tokens that it writes"
_MOST_SHOWN = 2000
"""Characters of the answers that stand beside each score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One answer to a question: what became of it, what was read in it by which rule, its vote; a `note` for people."""

    outcome: Outcome
    response: Response
    found: Extracted | None = None
    vote: str | None = None
    note: str = ""

    @property
    def remark(self) -> str:
        """In a few words."""
        told = f"{self.outcome} ({self.found.by})" if self.found else self.outcome
        return f"{told}; {self.note}" if self.note else told


class Written(RowTask):
    """A question whose answer is looked for in what the model writes (`extract`) and checked (`is_right`).

    An answer that used up its tokens, or whose thoughts never ended, is `cut`: it is censored, not wrong. One that
    ended and holds no answer is `unparsed`. Neither is right, and both are reported beside what is
    (see `harness.metrics.written`). Writing stops at the end-of-text token, at any string of `until` (in the answer,
    not in thoughts), or after `max_tokens` tokens. The user's `Sampling` decides how many answers are drawn and how.
    """

    metrics: Sequence[Metric] = WRITTEN
    asks: Sequence[type[Request]] = (GenerateUntil,)
    until: Sequence[str] = ()
    max_tokens: int = 256
    sampling = Sampling()

    @abstractmethod
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The answer that a text gives, with the name of the rule that found it; None where it gives none."""

    @abstractmethod
    def is_right(self, sample: Sample, answer: str) -> bool:
        """Whether an answer that `extract` found is right. What it raises makes the sample invalid."""

    def groups(self, sample: Sample) -> Mapping[str, str]:  # noqa: ARG002
        """The groups of a sample by which its accuracy is told, too (see `by_groups`); none by default."""
        return {}

    def ballot(self, sample: Sample, answer: str) -> str:  # noqa: ARG002
        """What an answer votes for among several draws: one text for all that are the same; itself by default."""
        return answer

    def chance(self, sample: Sample) -> float | None:  # noqa: ARG002
        """How likely a blind pick among the answers left open is right, 0 where none are; None (no metric) by default.

        For a task that has the metric `CHANCE`.
        """
        return None

    def use_sampling(self, sampling: Sampling) -> None:
        """Draw answers as the user says; called once."""
        self.sampling = sampling
        self.max_tokens = sampling.max_tokens or self.max_tokens
        self.metrics = (*self.metrics, *of_draws(sampling.samples))
        if not sampling.is_usual:
            self.definition = MappingProxyType({**self.definition, "sampling": dict(sampling.definition())})

    @override
    def as_recorded(self, definition: Mapping[str, Any]) -> Self:
        """With as many answers, drawn as the run drew them."""
        if "sampling" in definition:
            try:
                self.use_sampling(Codec(Sampling).decode(definition["sampling"]))
            except (ValueError, TypeError, InputError) as error:
                raise RecordError("its definition doesn't say how answers were drawn", place=self.name) from error
        return self

    @override
    def requests(self, sample: Sample) -> Sequence[GenerateUntil]:
        """One for each draw; they share their prompt."""
        return [
            GenerateUntil(
                context=sample.prompt,
                until=tuple(self.until),
                max_tokens=self.max_tokens,
                temperature=self.sampling.heat,
                top_p=self.sampling.top_p,
                top_k=self.sampling.top_k,
                seed=draw,
            )
            for draw in range(self.sampling.samples)
        ]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, and for those of several budgets or numbers of draws one for each of these.

        All are invalid where any answer can't be used, or its check fails.
        """
        groups = self.groups(sample)
        return [
            replace(one, groups=groups) if one.metric == ACCURACY.name else one
            for one in self._scored(sample, responses)
        ]

    def _scored(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        gold = None if sample.gold is None else str(sample.gold)
        blank = Score(sample_id=sample.id, metric="", gold=gold, cluster=sample.cluster)
        unusable = next((one.invalid for one in responses if one.invalid and not one.is_cut), None)
        try:
            draws = [] if unusable else [self._draw(sample, response) for response in responses]
        except Exception as fault:  # whatever a check does with a text that nobody foresaw
            unusable = Reason("the check of its answer failed ({fault})", fault=f"{type(fault).__name__}: {fault}")
        if unusable:
            return [replace(blank, metric=metric.name, invalid=unusable) for metric in self.metrics]
        blank = replace(blank, predicted=_listed(draws), remark=", ".join(_counted(one.remark for one in draws)))
        made = [*_of_answers(blank, draws), *self._of_budgets(blank, draws), *self._of_draws(sample, blank, draws)]
        made.append(replace(blank, metric=CHANCE.name, value=self.chance(sample)))
        wanted = {metric.name for metric in self.metrics}
        return [one for one in made if one.metric in wanted]

    def _draw(self, sample: Sample, response: Response) -> Draw:
        if response.is_cut or response.text is None:
            return Draw(outcome="cut", response=response)
        found = self.extract(sample, response.text)
        if found is None:
            return Draw(outcome="unparsed", response=response)
        outcome: Outcome = "right" if self.is_right(sample, found.answer) else "wrong"
        return Draw(outcome=outcome, response=response, found=found, vote=self.ballot(sample, found.answer))

    def _of_budgets(self, blank: Score, draws: Sequence[Draw]) -> Iterator[Score]:
        ended = [budgets(one.response, self.max_tokens) for one in draws]
        for budget in ended[0]:
            value = statistics.fmean(
                one.outcome == "right" and at[budget] for one, at in zip(draws, ended, strict=True)
            )
            scored = replace(blank, metric="accuracy_at_budget", value=value, groups={BUDGET: budget})
            yield _or_uncounted(scored, {scored.metric} if any(map(_is_uncounted, draws)) else ())

    def _of_draws(self, sample: Sample, blank: Score, draws: Sequence[Draw]) -> Iterator[Score]:  # noqa: ARG002
        if len(draws) == 1:
            return
        right = sum(one.outcome == "right" for one in draws)
        for k in range(1, len(draws) + 1):
            groups = {DRAWS: str(k)}
            yield replace(blank, metric="pass_at_k", value=pass_at_k(len(draws), right, k), groups=groups)
            yield replace(blank, metric="pass_hat_k", value=pass_hat_k(len(draws), right, k), groups=groups)
        answers: dict[str, list[bool]] = {}
        for one in draws:
            if one.vote is not None:
                answers.setdefault(one.vote, []).append(one.outcome == "right")
        most = max(map(len, answers.values()), default=0)
        chosen = [statistics.fmean(right) for right in answers.values() if len(right) == most]
        yield replace(blank, metric="majority", value=statistics.fmean(chosen or [0]))


def _of_answers(blank: Score, draws: Sequence[Draw]) -> Iterator[Score]:
    count, outcomes = len(draws), Counter(one.outcome for one in draws)
    right, cut, unparsed = (outcomes[name] for name in ("right", "cut", "unparsed"))
    tokens = sum(one.response.token_count for one in draws)
    thoughts = sum(one.response.thinking_token_count for one in draws)
    values = {
        "accuracy_all": right / count,
        "accuracy_upper_bound": (right + cut + unparsed) / count,
        "cut": cut / count,
        "unparsed": unparsed / count,
        "answer_tokens": tokens / count,
        "thinking_tokens": thoughts / count,
    }
    finished = [one for one in draws if one.outcome != "cut"]
    if finished:
        values["accuracy_finished"] = statistics.fmean(one.outcome == "right" for one in finished)
    uncounted = {"answer_tokens", "tokens_per_right_answer"} if any(map(_is_uncounted, draws)) else set()
    if any(one.response.raw_text is not None and not one.response.thinking_token_count for one in draws):
        uncounted.add("thinking_tokens")
    for name, value in values.items():
        yield _or_uncounted(replace(blank, metric=name, value=value), uncounted)
    priced = replace(blank, metric="tokens_per_right_answer", value=float(tokens), weight=right)
    yield _or_uncounted(priced, uncounted)


def _is_uncounted(draw: Draw) -> bool:
    """Whether a server wrote something and didn't tell how much."""
    return draw.response.token_count == 0 and bool(draw.response.text or draw.response.raw_text)


def _or_uncounted(score: Score, uncounted: Collection[str]) -> Score:
    return replace(score, value=None, invalid=_UNCOUNTED) if score.metric in uncounted else score


def _listed(draws: Sequence[Draw]) -> str | None:
    return " | ".join(_counted(one.found.answer for one in draws if one.found))[:_MOST_SHOWN] or None


def _counted(names: Iterator[str]) -> list[str]:
    """Each name once, with its number where there are several."""
    return [name if count == 1 else f"{name} x {count}" for name, count in Counter(names).items()]
