"""MMLU's questions of one field of use, by what is right and how far confidence can be believed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.metrics.calibration_distances import DebiasedECE
from suites.accuracy.mmlu_subjects import MMLUSubjects
from suites.accuracy.subjects import DOMAINS
from suites.calibration.metrics import ACCURACY, BRIER, OVERCONFIDENCE
from suites.calibration.wrapper import CalibrationTask
from suites.domains.costs import STAKES

__all__ = ["Education", "Finance", "Legal", "Medical"]

SUBJECT = "subject"


class _Subjects(MMLUSubjects):
    """The questions of some of the subjects."""

    def __init__(self, subjects: Sequence[str]) -> None:
        self.subjects = subjects


class DomainView(CalibrationTask):
    """Questions of one field: a subclass names it."""

    domain: str
    metrics = (
        replace(ACCURACY, by=(SUBJECT,), smallest_group=10),
        replace(OVERCONFIDENCE, by=()),
        DebiasedECE(),
        BRIER,
        *(metric for stakes in STAKES for metric in (stakes.errors, stakes.cost)),
    )

    def __init__(self) -> None:
        super().__init__(_Subjects(DOMAINS[self.domain]))
        self.name = self.domain
        self.default_limit = 120

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """As calibration has them, by subject, with the costs of acting on an answer."""
        return list(self._costed(sample, super().score(sample, responses)))

    def _costed(self, sample: Sample, scores: Sequence[Score]) -> Iterator[Score]:
        for one in scores:
            score = replace(one, groups=sample.fields["groups"])
            counted: dict[str, float | None] = {}
            if score.value is not None:
                for stakes in STAKES:
                    counted.update(stakes.values(score.value, float(score.predicted != score.gold)))
            if score.metric not in counted:
                yield score
            elif counted[score.metric] is not None:
                yield replace(score, value=counted[score.metric])


def _of(domain: str, asked: str, stakes: str) -> type[DomainView]:
    """The view of one field, with its text."""
    text = f"""What the model knows of {asked}, and what its sure mistakes would cost there.

    What it measures. MMLU's questions on {", ".join(one.replace("_", " ") for one in DOMAINS[domain])}, asked as
    `mmlu_subjects` asks them and computed once for both: right answers, whether confidence is the share of them, wrong
    answers among the sure ones, and the cost of acting on sure answers and handing the others to people.

    Why it matters. {stakes}

    Limits. Those of `mmlu_subjects`: examination questions with four given answers, in English, of the United States.
    Confidence is that of a letter among four. Nothing is written, so refusals aren't defined here. A small model
    may be sure of a letter by habit, whatever is asked: its costs show that, and are no sign of the field.
    """
    return type(domain.capitalize(), (DomainView,), {"__module__": __name__, "__doc__": text, "domain": domain})


Medical = _of(
    "medical", "medicine and health", "Whoever follows a wrong answer about health that sounded sure may be harmed."
)
Legal = _of("legal", "law", "A sure mistake about the law costs money and rights, and is found out late.")
Finance = _of(
    "finance", "economics and accounting", "Decisions about money are made on answers that nobody checks again."
)
Education = _of(
    "education", "what is taught at school", "Pupils believe an answer that sounds sure, and learn the mistake with it."
)
