"""The first page: what was tested, what came of it, and what to worry about."""

from dataclasses import replace

from harness.core.reports.installed import suite_reports
from harness.core.scores import Estimate
from harness.core.text.display import number
from harness.decision.verdicts import Verdict
from harness.report.blocks import Block, Bullets, Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext
from harness.report.figures import MOST_WITH_FIGURE, first_figures
from harness.report.score_context import best, context_cells, context_columns, context_note
from harness.report.words import Words
from harness.report.worries import worries

__all__ = ["dimension_scores", "not_measured", "summary", "verdict_in_words"]

FIRST = 3
"""Worries that the first page has room for; the others follow it."""


def summary(context: ReportContext) -> list[Section]:
    """One page that can be read alone."""
    words = context.words
    found = worries(context)
    blocks: list[Block] = [
        Paragraph(text=_tested(context)),
        Paragraph(text=verdict_in_words(context), strong=True),
    ]
    if found:
        first = words("What to worry about first") if found[FIRST:] else words("What to worry about")
        blocks += [
            Paragraph(text=first, strong=True),
            Bullets(items=[worry.text for worry in found[:FIRST]], numbered=True),
        ]
    else:
        blocks.append(Paragraph(text=words("No rule of this report found anything to worry about.")))
    blocks.append(Paragraph(text=not_measured(context)))
    blocks += [dimension_scores(context), *context_note(context, context.headlines)]
    if len(context.headlines) <= MOST_WITH_FIGURE:
        blocks += [replace(figure, width=0.7) for figure in first_figures(context)]
    blocks += [Note(term=name, text=value) for name, value in _origin(context)]
    sections = [Section(title=words("Summary"), blocks=blocks)]
    if found[FIRST:]:
        others = Bullets(items=[worry.text for worry in found[FIRST:]])
        sections.append(Section(title=words("What else to worry about"), blocks=[others]))
    return sections


def not_measured(context: ReportContext) -> str:
    """What a signer can't take from this report: dimensions that nobody asked about, scores that are absent."""
    words, asked = context.words, {task.suite for task in context.record.spec.tasks}
    others = [words.title(name) for name in suite_reports() if name not in asked]
    return words(
        "Not measured: {dimensions}; of what was asked, scores that are absent: {absent}.",
        dimensions=words(", ").join(others) if others else words("no dimension that this installation knows"),
        absent=len(context.absent),
    )


def _tested(context: ReportContext) -> str:
    spec, checkpoint = context.record.spec, context.checkpoint
    return context.words(
        "{model}, a {kind} language model of {parameters} parameters, was asked {samples} samples of "
        "{tasks} tasks on {date}.",
        model=context.model,
        kind=context.words(spec.kind),
        parameters=number(checkpoint["parameter_count"]) or "?",
        samples=f"{context.sample_count:,}",
        tasks=len(spec.tasks),
        date=context.record.started_at.date().isoformat(),
    )


def verdict_in_words(context: ReportContext) -> str:
    """What each policy said, and how many of its rules bear it."""
    if not context.verdicts:
        return context.words("No gate was asked: this report holds scores, and no decision.")
    return " ".join(_said(context, verdict) for verdict in context.verdicts)


def _said(context: ReportContext, verdict: Verdict) -> str:
    """A verdict with how many rules bear it: a PASS of which most is undecided must be seen for what it is."""
    said = [rule.verdict for rule in verdict.rules]
    return context.words(
        "The gate {policy} says {verdict}: of {all} rules {passed} hold, {failed} fail, {open} can't be decided.",
        policy=verdict.policy,
        verdict=context.words(verdict.verdict),
        all=len(said),
        passed=said.count("PASS"),
        failed=said.count("FAIL") + said.count("ERROR"),
        open=said.count("INCONCLUSIVE"),
    )


def dimension_scores(context: ReportContext) -> Table:
    """One score a dimension, with all that is needed to read it."""
    words = context.words
    return Table(
        caption=words("One score a dimension, with its 95 % interval"),
        columns=[
            Column(title=words("dimension"), width=1.1),
            Column(title=words("score"), kind="number"),
            Column(title=words("95 % interval"), kind="number"),
            Column(title="n", kind="number"),
            *context_columns(context, context.headlines, spacious=True),
            Column(title=words("best"), kind="short"),
            Column(title=words("unit"), kind="short"),
            Column(title=words("made of"), width=2.6),
        ],
        rows=[_row(context, one) for one in context.headlines],
    )


def _row(context: ReportContext, one: Estimate) -> list[str]:
    words = context.words
    return [
        words.title(one.suite),
        words("absent") if one.value is None else number(one.value),
        words.interval(one.low, one.high),
        f"{one.n:,}",
        *context_cells(context, context.headlines, one),
        best(context, one),
        words.unit(one.unit),
        _made_of(words, one),
    ]


def _made_of(words: Words, one: Estimate) -> str:
    """Which metric of which task, or of how many tasks, and whether any of it is estimated."""
    several = len(one.parts) > 1
    made_of = words("{count} tasks", count=len(one.parts)) if several else words.task(one.suite, one.parts[0].task)
    if len(metrics := {part.metric for part in one.parts}) == 1:
        made_of = words("{name}: {value}", name=words.of(one.suite).metric(metrics.pop()), value=made_of)
    return made_of if one.basis == "measured" else words("; ").join([made_of, words(one.basis)])


def _origin(context: ReportContext) -> list[tuple[str, str]]:
    words, record = context.words, context.record
    return [
        (words("checkpoint's fingerprint (SHA-256)"), record.spec.fingerprint),
        (words("seal"), words("every file of the record was hashed again for this report and is as it was sealed")),
    ]
