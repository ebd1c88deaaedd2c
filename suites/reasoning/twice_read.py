"""Written answers in maths that two readers judge: our strict rules, which decide, and a second one beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from harness.core.requests import Response
from harness.core.scores import Score
from harness.core.tasks import Sample
from harness.metrics.second_reader import DISAGREEMENT, SecondVerdict, second_verdict, unavailable
from harness.tasks.written import Draw, Written

__all__ = ["TwiceRead"]


class TwiceRead(Written):
    """A written task that tells how often the second reader disagrees; what counts is what our rules say."""

    def gold_for_second(self, sample: Sample) -> str | None:
        """The right answer as the second reader takes it; None where it can't judge a sample."""
        return str(sample.gold)

    @override
    def _draw(self, sample: Sample, response: Response) -> Draw:
        """With the second reader's verdict, where it is another one."""
        draw = super()._draw(sample, response)
        verdict = self._second(sample, draw)
        if verdict is None:
            return draw
        if verdict.fault:
            return replace(draw, note=f"math-verify: {verdict.fault}")
        if verdict.is_right == (draw.outcome == "right"):
            return draw
        said = "right" if verdict.is_right else "wrong"
        return replace(draw, note=f"math-verify: {said}, reads {verdict.read or 'nothing'}")

    @override
    def _of_draws(self, sample: Sample, blank: Score, draws: Sequence[Draw]) -> Iterator[Score]:
        yield from super()._of_draws(sample, blank, draws)
        scored = replace(blank, metric=DISAGREEMENT.name)
        if self.gold_for_second(sample) is None:
            return
        if unavailable():
            yield scored
            return
        verdicts = [(one, self._second(sample, one)) for one in draws]
        apart = [said.is_right != (one.outcome == "right") for one, said in verdicts if said and not said.fault]
        if apart:
            yield replace(scored, value=sum(apart) / len(apart))

    def _second(self, sample: Sample, draw: Draw) -> SecondVerdict | None:
        gold = self.gold_for_second(sample)
        if gold is None or draw.outcome == "cut" or unavailable():
            return None
        return second_verdict(draw.response.text or "", gold)
