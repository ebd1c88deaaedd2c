"""What it costs to act on a model's answer where it is sure of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.core.metrics import Mean, Metric, Proportion

__all__ = ["STAKES", "Stakes"]


@dataclass(frozen=True, slots=True)
class Stakes:
    """Answers of at least the confidence `threshold` are acted on, the others are handed to people.

    A wrong answer that is acted on costs 1, handing over 1 - threshold: then the rule is the cheapest there is, if
    confidence can be believed (Chow, 1970).
    """

    threshold: float

    @property
    def handing_over(self) -> float:
        """What it costs to ask people, in wrong answers."""
        return round(1 - self.threshold, 9)

    @property
    def errors(self) -> Metric:
        """The share of wrong answers among those that are acted on."""
        return Proportion(
            name=f"confident_errors_{self.threshold * 100:.0f}",
            unit="share",
            direction="lower",
            source="selective risk of El-Yaniv and Wiener (2010), On the Foundations of Noise-free Selective "
            "Classification, JMLR 11, at a fixed confidence",
            meaning=f"""
            0 to 1: the share of wrong answers among those that the model gives a probability of {self.threshold} or
            more. Lower is better; where confidence can be believed it is at most {self.handing_over}.

            Formula: wrong answers of at least that confidence, divided by all answers of at least that confidence; the
            others don't count. Absent where no answer is so sure, which is no virtue: read its n.
            """,
        )

    @property
    def cost(self) -> Metric:
        """The mean cost of a question."""
        return Mean(
            name=f"cost_of_acting_{self.threshold * 100:.0f}",
            unit="wrong answers",
            direction="lower",
            lowest=0.0,
            highest=1.0,
            source="Chow (1970), On Optimum Recognition Error and Reject Tradeoff, IEEE Transactions on Information "
            "Theory 16(1)",
            meaning=f"""
            0 to 1, in wrong answers a question: what it costs to act on answers of a probability of {self.threshold} or
            more and to hand the others to people, where handing over costs {self.handing_over}. Lower is better.

            Formula: the mean of 1 for a wrong answer that is acted on, 0 for a right one, and {self.handing_over} for
            one that is handed over. At these prices no other rule is cheaper if confidence can be believed. Handing
            over everything costs {self.handing_over}: above it, sure mistakes cost more than sure answers save.
            """,
        )

    def values(self, confidence: float, wrong: float) -> Mapping[str, float | None]:
        """What an answer counts in both metrics, by name; None where it doesn't count."""
        sure = confidence >= self.threshold
        return {self.errors.name: wrong if sure else None, self.cost.name: wrong if sure else self.handing_over}


STAKES: Sequence[Stakes] = (Stakes(0.8), Stakes(0.9))
"""A wrong answer costs as much as asking people five times, and ten times."""
