"""What changed against a baseline: paired differences, what they cost, and samples that turned."""

from harness.core.text.display import number
from harness.decision.comparison import Comparison
from harness.report.blocks import Block, Bullets, Column, Note, Paragraph, Section, Table
from harness.report.context import ReportContext
from harness.report.differences import difference_table

__all__ = ["comparison"]

MOST = 40
"""Rows of changes that a page can bear."""


def comparison(context: ReportContext) -> list[Section]:
    """The run against its baseline; nothing where there is none. Raises `RecordError` where they can't be compared."""
    words, found = context.words, context.comparison
    if found is None:
        return []
    blocks: list[Block] = [
        Paragraph(
            text=words(
                "Baseline: {model}, run {run}. Differences are this run less the baseline, paired by sample; verdicts "
                "are corrected by Holm's method at 5 %.",
                model=found.first_model,
                run=found.first_run_id,
            )
        )
    ]
    sides = (words("baseline"), words("this run"))
    blocks += [Bullets(items=list(map(words.reason, found.conditions)))] if found.conditions else []
    blocks.append(difference_table(words, words("By dimension"), found.at("suite"), sides))
    changed = [one for one in found.at("metric") if one.is_significant]
    if changed:
        blocks.append(difference_table(words, words("Metrics that changed beyond doubt"), changed[:MOST], sides))
    blocks.append(_costs(context, found))
    gained = sum(flip.gained for flip in found.flips)
    blocks.append(
        Note(
            text=words(
                "{gained} samples turned from wrong to right, {lost} from right to wrong.",
                gained=gained,
                lost=len(found.flips) - gained,
            )
        )
    )
    return [Section(title=words("Compared with the baseline"), blocks=blocks)]


def _costs(context: ReportContext, found: Comparison) -> Table:
    words = context.words
    return Table(
        caption=words("What both cost"),
        columns=[
            Column(title=words("what"), width=2),
            Column(title=words("unit"), kind="short"),
            Column(title=words("baseline"), kind="number"),
            Column(title=words("this run"), kind="number"),
            Column(title=words("ratio"), kind="number"),
        ],
        rows=[
            [
                words.metric(cost.name),
                words.unit(cost.unit),
                number(cost.first),
                number(cost.second),
                number(cost.ratio),
            ]
            for cost in found.costs
        ],
    )
