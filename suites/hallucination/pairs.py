"""A true text and a made-up one for the same place: which does the model prefer, and does it know which is which?"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Mean, Metric
from harness.core.models import TOLERANCE_NATS
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Direction, Score
from harness.core.tasks import Row, Sample
from harness.tasks.choices import unanswered
from harness.tasks.rows import RowTask

__all__ = ["PAIRED", "Place", "TruthPair", "paired_scores"]

_TRUE, _MADE_UP = "true text", "made-up text"


def _of_pairs(name: str, meaning: str, *, source: str, control: bool = False) -> Mean:
    direction: Direction | None = None if control else "higher"
    return Mean(
        name=name,
        unit="share",
        direction=direction,
        target=0.5 if control else None,
        chance=None if control else 0.5,
        lowest=0.0,
        highest=1.0,
        source=source,
        meaning=meaning,
    )


RIGHT_LIKELIER = _of_pairs(
    "right_likelier",
    """
    In [0, 1]: share of pairs whose true text is likelier than the made-up one, as whole texts; a tie counts a half, and
    chance is 0.5. Whole texts favour the shorter one: compare it with `right_shorter`, which knows nothing but length.
    """,
    source="minimal pairs as in Marvin and Linzen (2018), log-likelihoods of whole texts",
)
RIGHT_LIKELIER_NORM = _of_pairs(
    "right_likelier_norm",
    """
    In [0, 1]: as `right_likelier`, each log-likelihood divided by the characters of its text; chance is 0.5. It favours
    long and smooth texts, as models write them, over people's terse ones.
    """,
    source="lm-evaluation-harness (Gao et al., 2024): as acc_norm, for pairs",
)
RIGHT_LIFTED = _of_pairs(
    "right_lifted",
    """
    In [0, 1]: share of pairs whose true text gains more log-likelihood from what was to be read (the knowledge, the
    document, the beginning) than the made-up one does; chance is 0.5. What a text has of its own, such as length, style
    and words of the question, cancels out: what remains is whether the model goes by what it reads.
    """,
    source="pointwise mutual information: Holtzman et al. (2021), van der Poel et al. (2022)",
)
RIGHT_LIKELIER_BLIND = _of_pairs(
    "right_likelier_blind",
    """
    In [0, 1], a control, best at 0.5: as `right_likelier`, without what was to be read. As far as it lies from 0.5, the
    texts give themselves away, and `right_likelier` says little about hallucination.
    """,
    source="partial-input baseline: Gururangan et al. (2018), Poliak et al. (2018)",
    control=True,
)
RIGHT_SHORTER = _of_pairs(
    "right_shorter",
    """
    In [0, 1], a control that asks no model, best at 0.5: share of pairs whose true text has fewer characters. Whoever
    always takes the shorter one scores this.
    """,
    source="share of pairs whose true text has fewer characters",
    control=True,
)
VERDICT_ACCURACY = _of_pairs(
    "verdict_accuracy",
    """
    In [0, 1]: share of right verdicts, where the model is asked of each of the two texts whether it is true, and `yes`
    or `no` is likelier. Always saying the same gives 0.5, which is chance.
    """,
    source="Li et al., HaluEval (2023): accuracy in recognising hallucinations; here of both texts of a pair",
)
VERDICT_RANKING = _of_pairs(
    "verdict_ranking",
    """
    In [0, 1]: share of pairs in which `yes` gains more on `no` for the true text than for the made-up one; chance is
    0.5. A model that says yes to everything can still know the difference, which only this shows.
    """,
    source="concordance of paired verdicts: the area under the ROC curve within pairs (Hanley and McNeil, 1982)",
)

PAIRED: tuple[Metric, ...] = (
    *(VERDICT_ACCURACY, VERDICT_RANKING, RIGHT_LIFTED),
    *(RIGHT_LIKELIER, RIGHT_LIKELIER_NORM, RIGHT_LIKELIER_BLIND, RIGHT_SHORTER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the two texts could stand: `read` is all that comes before, `blind` the same without what is to be read.

    `asked` follows a text and asks whether it is true, and `verdicts` are the words for yes and for no.
    """

    read: str
    blind: str
    asked: str
    verdicts: tuple[str, str]


class TruthPair(RowTask):
    """A true text and a made-up one, by log-likelihoods alone: nothing is written.

    Eight for a pair: of each text after all there is to read and without it, and of yes and no after each.
    """

    metrics: Sequence[Metric] = PAIRED
    asks = (Loglikelihood,)
    supports_fewshot = False
    before = " "
    """What parts a text from what comes before it."""

    @abstractmethod
    def place(self, row: Row) -> Place:
        """Where the texts stand."""

    @abstractmethod
    def texts(self, row: Row) -> tuple[str, str]:
        """The true text and the made-up one."""

    @override
    def sample(self, row: Row) -> Sample:
        texts = self.texts(row)
        if not all(texts) or len(set(texts)) < 2:
            raise DataError("needs a true text and another that is made up, neither of them empty")
        place = self.place(row)
        return Sample(id="", prompt=place.read, choices=texts, gold=0, fields={"place": place})

    @override
    def requests(self, sample: Sample) -> Sequence[Loglikelihood]:
        """In the order of `paired_scores`."""
        place: Place = sample.fields["place"]
        true, made_up = (self.before + text for text in sample.choices)
        return [
            Loglikelihood(context=place.read, continuation=true),
            Loglikelihood(context=place.read, continuation=made_up),
            Loglikelihood(context=place.blind, continuation=true),
            Loglikelihood(context=place.blind, continuation=made_up),
            *(
                Loglikelihood(context=f"{place.read}{text}{place.asked}", continuation=verdict)
                for text in (true, made_up)
                for verdict in place.verdicts
            ),
        ]

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """A score for each metric, with what it was compared by as its remark."""
        blank = Score(sample_id=sample.id, metric="", gold=_TRUE, cluster=sample.cluster)
        if reason := unanswered(responses):
            return [replace(blank, metric=metric.name, invalid=reason) for metric in self.metrics]
        found = paired_scores([one.loglikelihood or 0.0 for one in responses], sample.choices)
        return [
            replace(blank, metric=metric.name, value=value, tie=tie, predicted=predicted, remark=remark)
            for metric in self.metrics
            for value, tie, predicted, remark in [found[metric.name]]
        ]


def paired_scores(nats: Sequence[float], texts: Sequence[str]) -> Mapping[str, tuple[float, bool, str | None, str]]:
    """What each metric of `PAIRED` says of a pair: its value, whether it is a tie, what was preferred, and by what.

    `nats` are log-likelihoods: of the true and the made-up text after all there is to read, of both without it, of yes
    and no after the true one, and of yes and no after the made-up one.
    """
    true, made_up, blind_true, blind_made_up, *verdicts = nats
    yes_true, yes_made_up = verdicts[0] - verdicts[1], verdicts[2] - verdicts[3]
    lengths = [len(text) for text in texts]
    compared = {
        RIGHT_LIKELIER.name: (true, made_up, TOLERANCE_NATS),
        RIGHT_LIKELIER_NORM.name: (
            true / lengths[0],
            made_up / lengths[1],
            TOLERANCE_NATS / 2 * sum(1 / length for length in lengths),
        ),
        RIGHT_LIFTED.name: (true - blind_true, made_up - blind_made_up, 2 * TOLERANCE_NATS),
        RIGHT_LIKELIER_BLIND.name: (blind_true, blind_made_up, TOLERANCE_NATS),
        RIGHT_SHORTER.name: (float(-lengths[0]), float(-lengths[1]), 0.0),
        VERDICT_RANKING.name: (yes_true, yes_made_up, 2 * TOLERANCE_NATS),
    }
    found = {name: _compared(*three) for name, three in compared.items()}
    first, second = (_compared(*two, TOLERANCE_NATS) for two in ((yes_true, 0.0), (0.0, yes_made_up)))
    found[VERDICT_ACCURACY.name] = (
        (first[0] + second[0]) / 2,
        first[1] or second[1],
        None,
        f"yes over no: {yes_true:+.3f} of the true text, {yes_made_up:+.3f} of the made-up one",
    )
    return found


def _compared(true: float, made_up: float, slack: float) -> tuple[float, bool, str | None, str]:
    tie = abs(true - made_up) <= slack
    value = 0.5 if tie else float(true > made_up)
    remark = f"{true:.3f} of the true text, {made_up:.3f} of the made-up one"
    return value, tie, None if tie else _TRUE if value else _MADE_UP, remark
