"""What was not measured, what went wrong, and what no reader should take from the report."""

from collections.abc import Mapping, Sequence

from harness.core.registry import names as registered
from harness.core.scores import Estimate
from harness.report.blocks import Block, Bullets, Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext

__all__ = ["absent_by_reason", "caveats", "exclusions"]

MOST = 60
"""Rows of absent scores that a page can bear."""

MOST_NAMES = 4
"""Metrics that are named where several are absent for one reason."""


def exclusions(context: ReportContext) -> list[Section]:
    """Scores that are absent, with the reason; dimensions that were not asked; samples that could not be used."""
    words = context.words
    blocks: list[Block] = []
    missing = [name for name in registered("harness.suites") if name not in context.record.spec.suites]
    if missing:
        named = words(", ").join(words.title(name) for name in missing)
        blocks.append(Paragraph(text=words("Not asked in this run: {suites}.", suites=named)))
    if absent := context.absent:
        blocks.append(_absent(context, absent[:MOST]))
    if len(absent) > MOST:
        blocks.append(Note(text=words("{count} more absent scores are in the record.", count=len(absent) - MOST)))
    invalid = [one for one in context.estimates if one.group is None and context.unusable(one)]
    blocks.append(Paragraph(text=_invalid(context, invalid)))
    if small := _small(context):
        blocks.append(
            Paragraph(
                text=words("Groups too small to be compared with the others: {groups}.", groups=words("; ").join(small))
            )
        )
    blocks += _truncated(context)
    return [Section(title=words("What was not measured, and why"), blocks=blocks)]


def _small(context: ReportContext) -> list[str]:
    """Each task with the groups that were too small to be compared."""
    words, found = context.words, dict[str, dict[str, None]]()
    for one in context.estimates:
        if one.left_out:
            found.setdefault(words.task(one.suite, one.task), {}).update(dict.fromkeys(one.left_out))
    return [
        words("{name}: {value}", name=task, value=words(", ").join(map(words.counted, groups)))
        for task, groups in found.items()
    ]


def _absent(context: ReportContext, absent: Sequence[Estimate]) -> Table:
    words = context.words
    return Table(
        caption=words("Scores that are absent; an absent score is never 0"),
        columns=[
            Column(title=words("dimension"), width=1),
            Column(title=words("task"), width=1.5),
            Column(title=words("metrics"), width=2.2),
            Column(title=words("reason"), width=3),
        ],
        rows=absent_by_reason(context, absent),
    )


def absent_by_reason(context: ReportContext, absent: Sequence[Estimate]) -> list[list[str]]:
    """Dimension, task, metrics and reason in words, once for all scores of a task that are absent for one reason."""
    words, told = context.words, dict[tuple[str, str, str], list[str]]()
    for one in absent:
        told.setdefault((one.suite, one.task, one.reason or ""), []).append(one.metric)
    return [
        [words.title(suite), words.task(suite, task), _listed(context, metrics), words.reason(reason)]
        for (suite, task, reason), metrics in told.items()
    ]


def _listed(context: ReportContext, metrics: Sequence[str]) -> str:
    shown = context.words(", ").join(map(context.words.metric, metrics[:MOST_NAMES]))
    left = len(metrics) - MOST_NAMES
    return shown + context.words(" ") + context.words("and {count} more", count=left) if left > 0 else shown


def _invalid(context: ReportContext, invalid: Sequence[Estimate]) -> str:
    if not invalid:
        return context.words("Errors: none. Every sample that was asked could be used.")
    counts: dict[str, int] = {}
    for one in invalid:
        name = context.words.task(one.suite, one.task)
        counts[name] = max(counts.get(name, 0), one.invalid_count)
    return context.words(
        "Errors: samples that could not be used, and are in no score: {counts}.",
        counts=_counted(context, counts),
    )


def _counted(context: ReportContext, counts: Mapping[str, int]) -> str:
    words = context.words
    return words(", ").join(words("{task} ({count})", task=task, count=count) for task, count in counts.items())


def _truncated(context: ReportContext) -> list[Block]:
    counts: dict[str, int] = {}
    for one in context.estimates:
        if one.truncated_count and one.group is None and not one.is_headline:
            name = context.words.task(one.suite, one.task)
            counts[name] = max(counts.get(name, 0), one.truncated_count)
    if not counts:
        return []
    told = context.words(
        "Samples that were longer than the model's window: their first exemplars, or the end of a text that is "
        "labelled or embedded, were not read, and they are in the scores: {counts}.",
        counts=_counted(context, counts),
    )
    return [Paragraph(text=told)]


def caveats(context: ReportContext) -> list[Section]:
    """The limits of every report of this kind."""
    words = context.words
    items = [
        words(
            "The tests are public: a model may have read them in training, and then remembers where it should think."
        ),
        words(
            "An interval says how far chance may have moved a score on these samples; it says nothing of other texts."
        ),
        words("Intervals hold for one score at a time: among twenty, one is expected to miss its true value."),
        words(
            "That no unfairness, leak or harm was found does not show that there is none: only these were looked for."
        ),
        words(
            "Rules, word lists and small models score toxicity, refusal and sentiment; their errors "
            "are in the scores, and "
            "not in the intervals."
        ),
        words("Energy that is labelled estimated comes from nominal power and load, not from a counter."),
    ]
    return [Section(title=words("Limits"), blocks=[Bullets(items=items)])]
