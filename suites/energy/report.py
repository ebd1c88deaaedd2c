"""What energy brings to a report: joules by phase, and a note where they are estimated."""

from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.meters import IDLE
from harness.core.reports import Drawing, Evidence, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.report.figures import named_frame, valued
from suites.energy.book import ENERGY, RUN

__all__ = ["EnergyReport"]


class EnergyReport(SuiteReport):
    """What the suite `energy` brings."""

    order = 70
    evidence = Evidence(
        nist="MEASURE 2.12",
        ai_act="Annex XI 1(2)(e), for general-purpose models",
        why="energy, known or estimated",
    )

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The joules of each phase, above idle and below."""
        mine = [one for one in valued(run.estimates, ENERGY) if one.task not in (RUN, IDLE)]
        phases = [one for one in mine if one.metric == "energy_joules"]
        if phases:
            draw = partial(charts.energy_by_phase, named_frame(words, mine))
            yield Drawing(draw=draw, caption=words("Energy by phase"), rows=phases)

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Energy that no counter was read for."""
        energy = [one for one in run.estimates if one.suite == ENERGY and one.value is not None]
        if energy and all(one.basis == "estimated" for one in energy):
            yield Worry(
                weight=Weight.NOTE,
                text=words(
                    "No counter of this machine could be read: the energy is estimated from nominal "
                    "power, good for comparing "
                    "runs on one machine and poor in absolute terms."
                ),
            )
