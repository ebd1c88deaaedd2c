"""Whether published texts are likelier than twins of theirs with other numbers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Metric
from harness.core.requests import Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings, choose
from harness.tasks.rows import RowTask
from harness.tasks.wrapped import WrappedTask
from suites.contamination.ranks import MeanRank, share_below
from suites.contamination.rows import text_of, usable_rows
from suites.privacy.membership import ATTACKS

__all__ = ["TWIN_RANKS", "TwinTask"]

_TWINS = 3
_NUMBER = re.compile(r"(?<![\w.,])\d{1,6}(?![\w]|[.,]\d)")
_FEWEST = 2
"""Numbers that a text must have to have twins."""
_READ = {"min_k_plus_plus": "Min-K%++ (Zhang et al., 2025)", "min_k": "Min-K% (Shi et al., 2024)"}

TWIN_RANKS: Sequence[Metric] = tuple(
    MeanRank(
        name=f"{attack}_rank",
        unit="share",
        target=0.5,
        alternatives=_TWINS,
        source=f"{source} of a published text among twins with other numbers, in the manner of GSM-Symbolic "
        "(Mirzadeh et al., 2025)",
        meaning="""
        The share of three twins, made of the published text by putting other numbers of the same data set and length in
        place of its own, that the method finds less familiar than the published text: mean over texts, in [0, 1].
        About 0.5 is what a model gives that never saw the text; 1 where the published one is always the most familiar.
        The p value is exact if text and twins are exchangeable to such a model.

        They are nearly so, not quite: numbers of a true story fit each other (a dozen has 12), so a little above 0.5
        proves nothing. Compare with a model that can't have read the text.
        """,
    )
    for attack, source in _READ.items()
)


class TwinTask(WrappedTask[RowTask]):
    """Published texts with numbers in them, against fresh twins with other numbers.

    What it measures. Whether Min-K%++ and Min-K% find the published text more familiar than three twins, with the exact
    p value of that by chance.

    Why it matters. Twins are new, and else alike: what a model knows of the published one beyond them, it has read.

    Limits. A p value, never a verdict. Texts with at least two whole numbers. Numbers of a true story fit each other,
    and the twins' don't quite, which any model may notice.
    """

    metrics = TWIN_RANKS

    def __init__(self, inner: RowTask) -> None:
        super().__init__("freshness", inner)
        self.asks = (TokenLoglikelihoods,)
        self.supports_fewshot, self.default_num_fewshot, self.default_limit = False, 0, 20
        self.executes_code = False

    @override
    def refusal(self, checkpoint: object) -> str | None:
        """None: texts are read, whatever the task asks of them."""
        return None

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """A sample a row that has numbers enough. Raises `DataError` where none has."""
        texts = {index: text_of(self.inner, rows[index]) for index in usable_rows(self.inner, rows)}
        numbers = {index: _NUMBER.findall(text) for index, text in texts.items()}
        having = [index for index, found in numbers.items() if len(set(found)) >= _FEWEST]
        if not having:
            raise DataError(
                f"has no row with {_FEWEST} whole numbers, of which twins could be made",
                place=self.name,
                fix="Name a task with numbers in its questions",
            )
        pool = sorted({one for found in numbers.values() for one in found})
        _, chosen = choose(len(having), replace(settings, num_fewshot=0), salt=self.name)
        return [self._sample(having[rank], texts[having[rank]], pool, settings.seed) for rank in chosen]

    def _sample(self, index: int, text: str, pool: Sequence[str], seed: int) -> Sample:
        rng = Random(f"{seed}:{self.name}:{index}")
        twins: dict[str, None] = {}
        while len(twins) < _TWINS:
            twins[_twin(text, pool, rng)] = None
        return Sample(id=str(index), prompt=text, fields={"twins": tuple(twins)})

    @override
    def requests(self, sample: Sample) -> Sequence[TokenLoglikelihoods]:
        """The published text first."""
        return [TokenLoglikelihoods(text=text, max_tokens=256) for text in (sample.prompt, *sample.fields["twins"])]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return f"twin {position}" if position else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """For each method, the share of the twins that are less familiar."""
        bad = next((one for one in responses if not one.token_loglikelihoods or not one.token_z_scores), None)
        if bad is not None:
            reason = bad.invalid or "the model gave no likelihoods of single tokens"
            return [Score(sample_id=sample.id, metric=metric.name, invalid=reason) for metric in self.metrics]
        scores = []
        for attack in _READ:
            told, _ = ATTACKS[attack]
            published, *twins = map(told, responses)
            scores.append(Score(sample_id=sample.id, metric=f"{attack}_rank", value=share_below(published, twins)))
        return scores


def _twin(text: str, pool: Sequence[str], rng: Random) -> str:
    """The text with each number replaced by another of as many digits, the same one wherever it recurs."""
    chosen: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        number = found[0]
        if number not in chosen:
            # A number that few others are as long as may have any digits, lest there be no three twins.
            alike = [one for one in pool if len(one) == len(number) and one != number]
            made = str(rng.randrange(10 ** (len(number) - 1), 10 ** len(number)))
            chosen[number] = rng.choice([*alike, made])
        return chosen[number]

    return _NUMBER.sub(other, text)
