"""Dimension by dimension: scores with their errors, what they mean, groups, and the worst samples."""

from collections.abc import Collection, Sequence
from contextlib import suppress

from harness.core.media import OBJECT
from harness.core.metrics import Metric, Undefined
from harness.core.reports.installed import known_suite, suite_report, suite_reports
from harness.core.scores import Estimate
from harness.core.text.display import number, shown_error
from harness.report.blocks import Block, Code, Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext
from harness.report.figures import attribution_figures, suite_figures
from harness.report.pictures import media_figures
from harness.report.score_context import best, context_cells, context_columns, context_note
from harness.report.sections.data import known_task
from harness.report.words import QUOTED, Words
from harness.report.worst import WorstSample, worst_samples

__all__ = ["results"]

MOST_GROUPS = 40
"""Rows of groups that a page can bear; the record holds them all."""


def results(context: ReportContext) -> list[Section]:
    """One section a suite that has any score, energy included."""
    suites = dict.fromkeys(one.suite for one in context.estimates if one.applies)
    return [section for suite in suites for section in _suite(context, suite)]


def _suite(context: ReportContext, suite: str) -> list[Section]:
    words = context.words
    mine = [one for one in context.estimates if one.suite == suite and one.applies]
    single = [one for one in mine if one.group is None and not one.is_headline and one.value is not None]
    blocks: list[Block] = [Paragraph(text=words.of(suite).defined(_purpose(suite)))]
    blocks += suite_figures(context, suite)
    if single:
        # A figure shows the phases of a run; their four rows each would fill two pages.
        shown = [one for one in single if "/" not in one.task]
        blocks.append(_table(context, words("Scores of {suite}", suite=words.title(suite)), shown))
        blocks += [*context_note(context, shown), *_beside(context, suite, {one.task for one in shown})]
        if left := len(single) - len(shown):
            blocks.append(Note(text=words("{count} more rows by phase are in the record.", count=left)))
    grouped = [one for one in mine if one.group is not None and one.value is not None]
    if grouped:
        blocks += _groups(context, suite, grouped)
    sections = [Section(title=words.title(suite), blocks=blocks)]
    if maps := attribution_figures(context, suite):
        sections.append(Section(title=words("What single decisions hang on"), blocks=maps, level=2))
    definitions = _definitions(context, single)
    if definitions:
        sections.append(Section(title=words("What the scores mean"), blocks=definitions, level=2))
    worst = _worst(context, suite)
    if worst:
        sections.append(Section(title=words("Worst samples"), blocks=worst, level=2))
    return sections


def _beside(context: ReportContext, suite: str, tasks: Collection[str]) -> list[Note]:
    """What other suites say of these tasks."""
    return [
        Note(term=context.words.task(suite, task), text=text)
        for name, report in suite_reports().items()
        for task, text in report.beside(context, context.words.of(name))
        if task in tasks
    ]


def _purpose(suite: str) -> str:
    found = known_suite(suite)
    return " ".join((type(found).__doc__ or "").partition("\n\n")[0].split()) if found else ""


def _table(context: ReportContext, caption: str, estimates: Sequence[Estimate], *, groups: bool = False) -> Table:
    words = context.words
    bases = {one.basis for one in estimates}
    if len(bases) == 1:
        caption = words("{name} ({part})", name=caption, part=words(bases.pop()))
    tested = any(one.by_chance for one in estimates)
    # The interval tells the error, too, and names need the room.
    crowded = tested or len(context_columns(context, estimates)) > 1
    columns = [
        Column(title=words("task"), width=1.7),
        Column(title=words("metric"), width=2.0),
        *([Column(title=words("group"), width=1.7)] if groups else []),
        Column(title=words("score"), kind="number"),
        *([] if crowded else [Column(title=words("± s.e."), kind="number")]),
        Column(title=words("95 % interval"), kind="number"),
        *([Column(title="p", kind="number")] if tested else []),
        Column(title="n", kind="number"),
        *context_columns(context, estimates),
        Column(title=words("unit"), kind="short"),
        Column(title=words("best"), kind="short"),
        *([Column(title=words("basis"), kind="short")] if bases else []),
    ]
    rows = [
        [
            words.task(one.suite, one.task),
            words.metric(one.metric),
            *([words.group(one.group)] if groups else []),
            number(one.value),
            *([] if crowded else [shown_error(one.stderr, one.low, one.high)]),
            words.interval(one.low, one.high),
            *(["" if one.p_value is None else f"{one.p_value:.3g}"] if tested else []),
            f"{one.n:,}" + (f" (+{context.unusable(one):,})" if context.unusable(one) else ""),
            *context_cells(context, estimates, one),
            words.unit(one.unit),
            best(context, one),
            *([words(one.basis)] if bases else []),
        ]
        for one in estimates
    ]
    if any(map(context.unusable, estimates)):
        caption += words(". ") + words("In brackets behind n: samples that could not be used, and are in no score")
    if tested:
        caption += words(". ") + words(
            "p: how often chance alone gives as extreme a value where there is nothing to find"
        )
    return Table(caption=caption, columns=columns, rows=rows)


def _groups(context: ReportContext, suite: str, grouped: Sequence[Estimate]) -> list[Block]:
    words = context.words
    caption = words("Scores of {suite} by group", suite=words.title(suite))
    blocks: list[Block] = [_table(context, caption, grouped[:MOST_GROUPS], groups=True)]
    if len(grouped) > MOST_GROUPS:
        blocks.append(
            Note(text=words("{count} more rows by group are in the record.", count=len(grouped) - MOST_GROUPS))
        )
    return blocks


def _definitions(context: ReportContext, estimates: Sequence[Estimate]) -> list[Block]:
    """What each metric means and where it comes from, those that share a text together."""
    if not estimates:
        return []
    words = context.words.of(estimates[0].suite)
    found: dict[str, tuple[list[str], list[str]]] = {}
    for task_name in dict.fromkeys(one.task for one in estimates):
        for metric in _metrics(context, task_name):
            said = " ".join(metric.meaning.split())
            if said and any(one.task == task_name and one.metric == metric.name for one in estimates):
                names, sources = found.setdefault(said, ([], []))
                names += [metric.name] if metric.name not in names else []
                sources += [metric.source] if metric.source not in sources else []
    alike: dict[tuple[str, ...], list[str]] = {}
    for text, (names, _) in found.items():
        alike.setdefault((QUOTED.sub("", text), *names), []).append(text)
    defined = [
        Note(
            term=_called(words, names),
            text=f"{words.defined_together(texts)} [{_cited([one for text in texts for one in found[text][1]])}]",
        )
        for (_, *names), texts in alike.items()
    ]
    return [*defined, *_derived(words, estimates)]


def _metrics(context: ReportContext, task_name: str) -> Sequence[Metric]:
    """Those of the task as it is installed; of one that isn't, those of the record that can be made again here."""
    if task := known_task(task_name):
        return task.metrics
    found = []
    for (_, task_of, _), recorded in context.record.metrics.items():
        if task_of == task_name:
            with suppress(Undefined):
                found.append(recorded.metric())
    return found


def _derived(words: Words, estimates: Sequence[Estimate]) -> list[Block]:
    """What those metrics of a suite mean that no task has, such as the joules of a run."""
    metrics = {one.metric for one in estimates}
    suite = known_suite(estimates[0].suite)
    told = [
        ([name for name in names if name in metrics], text) for names, text in (suite.derived if suite else {}).items()
    ]
    return [Note(term=_called(words, names), text=words.defined(text)) for names, text in told if names]


def _called(words: Words, names: Sequence[str]) -> str:
    """What metrics are called, and behind it the names by which the record knows them."""
    called = [(words.metric(name), name) for name in names]
    return words(", ").join(
        words("{name} ({part})", name=said, part=name) if said != name else name for said, name in called
    )


def _cited(sources: Sequence[str]) -> str:
    """The sources, what several have in common in front of a colon once."""
    by_work: dict[str, list[str]] = {}
    for source in dict.fromkeys(sources):
        work, _, detail = source.rpartition(": ")
        by_work.setdefault(work, []).append(detail)
    return "; ".join(
        f"{work}: {'; '.join(details)}" if work else "; ".join(details) for work, details in by_work.items()
    )


def _worst(context: ReportContext, suite: str) -> list[Block]:
    words = context.words
    blocks: list[Block] = []
    for sample in worst_samples(context, suite):
        title = words(
            "{task}, sample {sample}: {metric} {value}",
            task=words.task(suite, sample.task),
            sample=sample.sample_id,
            metric=words.metric(sample.metric),
            value=number(sample.value),
        )
        blocks.append(Code(title=title, text=sample.prompt.replace(OBJECT, f"[{words('picture or sound')}]")))
        blocks += media_figures(context, sample.media)
        if sample.choices:
            blocks.append(_choices(context, sample))
        elif sample.answer or sample.gold:
            blocks.append(Note(text=_answered(words, sample)))
    if blocks and (note := suite_report(suite).note_on_samples):
        blocks.insert(0, Note(text=words.of(suite)(note)))
    return blocks


def _answered(words: Words, sample: WorstSample) -> str:
    if not sample.gold:
        return words("answered: {answer}", answer=sample.answer or "—")
    return words("answered: {answer} | expected: {gold}", answer=sample.answer or "—", gold=sample.gold)


def _choices(context: ReportContext, sample: WorstSample) -> Table:
    """What there was to choose from, the likeliest first, and which of it the model took and should have taken."""
    words = context.words
    marks = {(True, True): words("answered, expected"), (True, False): words("answered")}
    marks |= {(False, True): words("expected"), (False, False): ""}
    return Table(
        caption=words("Its choices, the likeliest first"),
        columns=[
            Column(title="", width=0.9),
            Column(title=words("choice"), width=4.5),
            Column(title=words("log-likelihood"), kind="number"),
        ],
        rows=[[marks[one.answered, one.expected], one.text, number(one.loglikelihood)] for one in sample.choices],
    )
