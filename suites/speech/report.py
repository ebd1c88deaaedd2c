"""What speech brings to a report: errors as noise grows, and those by language and by kind of sound."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from typing_extensions import override

from harness import charts
from harness.core.reports import PERFORMANCE, Drawing, ReportedRun, SuiteReport, Weight, Wording, Worry
from harness.core.scores import Estimate
from harness.report.figures import by_task, grouped_frame, named_frame, valued
from harness.report.sentences import single
from suites.speech.languages import LANGUAGE_WER
from suites.speech.listening import HEARING_GAIN
from suites.speech.noise import CORRUPTIONS, SoundCorruption
from suites.speech.noisy import CLEAN, NOISY
from suites.speech.silence import HALLUCINATION
from suites.speech.suite import Speech

__all__ = ["SpeechReport"]

_CONDITION = "condition"
_BARS = {HALLUCINATION.name: "kind", LANGUAGE_WER.name: "language"}
"""What is drawn as bars: a metric, by which groups."""


class SpeechReport(SuiteReport):
    """What the suite `speech` brings."""

    order = 65
    evidence = PERFORMANCE

    @override
    def figures(self, run: ReportedRun, words: Wording) -> Iterator[Drawing]:
        """The word error rate by condition and strength, a line a kind of noise; further groups as bars."""
        for task, rows in by_task(valued(run.estimates, Speech.name)):
            if any(one.metric == NOISY.name and one.is_by(_CONDITION) for one in rows):
                yield _ladder(task, rows, words)
            for metric, attribute in _BARS.items():
                mine = [one for one in rows if one.metric == metric and (one.group is None or one.is_by(attribute))]
                if any(one.group for one in mine):
                    yield Drawing(
                        draw=partial(charts.group_bars, grouped_frame(words, mine)),
                        caption=words(
                            "{task}: {metric} by {attribute}",
                            task=words.task(Speech.name, task),
                            metric=words.metric(metric),
                            attribute=attribute,
                        ),
                        rows=mine,
                        width=0.85,
                    )

    @override
    def worries(self, run: ReportedRun, words: Wording) -> Iterator[Worry]:
        """Tasks on which hearing the sound adds nothing that can be told from chance."""
        if deaf := [words.task(one.suite, one.task) for one in single(run.estimates) if _is_deaf(one)]:
            yield Worry(
                weight=Weight.OPEN,
                text=words(
                    "On {tasks} it may not listen to the sounds: with silence in their place its answers are not "
                    "surely worse.",
                    tasks=words(", ").join(deaf),
                ),
            )


def _is_deaf(gain: Estimate) -> bool:
    return gain.metric == HEARING_GAIN.name and gain.low is not None and gain.low <= 0


def _ladder(task: str, rows: Sequence[Estimate], words: Wording) -> Drawing:
    """Each line begins at the clips as they are, whose interval is drawn with the first alone."""
    plain = [one for one in rows if one.metric == CLEAN.name and one.group is None]
    noisy = {one.group.value: one for one in rows if one.metric == NOISY.name and one.group and one.is_by(_CONDITION)}
    steps: list[tuple[Estimate, str, int]] = []
    for corruption in CORRUPTIONS.values():
        labels = enumerate(map(corruption.label, range(1, len(corruption.levels) + 1)), start=1)
        spoiled = [(noisy[label], severity) for severity, label in labels if label in noisy]
        if spoiled:
            start = [(replace(one, low=None, high=None) if steps else one, 0) for one in plain]
            steps += [(one, _kind(corruption, words), severity) for one, severity in (*start, *spoiled)]
    names, severities = [name for _, name, _ in steps], [severity for _, _, severity in steps]
    frame = named_frame(words, [one for one, _, _ in steps]).assign(name=names, severity=severities)
    heading = words("{task}: word errors as noise grows", task=words.task(Speech.name, task))
    return Drawing(
        draw=partial(charts.noise_ladder, frame, heading, words("word error rate")),
        caption=words(
            "{task}: word error rate by kind of noise and its severity, whose strengths stand beside the kind in turn",
            task=words.task(Speech.name, task),
        ),
        rows=[*plain, *noisy.values()],
        width=0.85,
    )


def _kind(corruption: SoundCorruption, words: Wording) -> str:
    """Such as `white noise (20, 10, 0 dB)`."""
    levels = ", ".join(f"{level:g}" for level in corruption.levels)
    return f"{words(corruption.name)} ({levels} {words(corruption.unit)})"
