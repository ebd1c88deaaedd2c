"""The report on what compression cost: a parent, its children, and what they are worth against what they take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness import charts
from harness.core.scores import Estimate
from harness.core.text.display import number
from harness.decision.compression import Compressed, Compression, Footprint
from harness.report.blocks import Block, Bullets, Column, Document, Figure, Note, Paragraph, Section, Table
from harness.report.differences import difference_table
from harness.report.words import Words

__all__ = ["compression_document"]

MOST = 40
"""Rows of changes that a page can bear."""

_SIZE, _ENERGY = "size_bytes", "joules_per_token_decode"


def compression_document(found: Compression, words: Words) -> Document:
    """The same document for the same runs and language."""
    began = found.parent.started_at
    return Document(
        title=words("What compression cost: {model}", model=found.parent.spec.model),
        subtitle=words("Against run {run} of {date}", run=found.parent.run_id, date=began.date().isoformat()),
        language=words.language,
        date=(began.year, began.month, began.day),
        sections=[
            _summary(found, words),
            _sizes(found, words),
            *(_child(one, words) for one in found.children),
            *_tradeoffs(found, words),
        ],
    )


def _summary(found: Compression, words: Words) -> Section:
    return Section(
        title=words("In short"),
        blocks=[
            Paragraph(
                text=words(
                    "Differences are child less parent, paired by sample. Whether one is beyond doubt is corrected by "
                    "Holm's method at 5 %, over all children."
                )
            ),
            Bullets(items=[_line(one, found.footprint, words) for one in found.children]),
        ],
    )


def _line(one: Compressed, parent: Footprint, words: Words) -> str:
    """A child in a sentence: size, distance, and the dimensions that are surely worse."""
    size = one.footprint.size_bytes
    ratio = number(size / parent.size_bytes) if size and parent.size_bytes else words("an unknown number of")
    telling = one.telling
    away = f"{number(telling.value)} {words.term(telling.unit)}" if telling else words("not measured")
    worse = [words.title(each.suite) for each in one.comparison.at("suite") if each.change == "worse"]
    return words(
        "{model}: {ratio} times the bytes; distance from the parent: {away}; dimensions surely worse: {worse}.",
        model=one.comparison.second_model,
        ratio=ratio,
        away=away,
        worse=words(", ").join(worse) or words("none"),
    )


def _sizes(found: Compression, words: Words) -> Section:
    feet = [found.footprint, *(one.footprint for one in found.children)]
    names = [found.parent.spec.model, *(one.comparison.second_model for one in found.children)]
    rows = [
        [name, unit, *(number(value) for _, _, value in each)]
        for each in zip(*(foot.rows() for foot in feet), strict=True)
        for name, unit, _ in [each[0]]
        if any(value is not None for _, _, value in each)
    ]
    columns = [
        Column(title=words("what"), width=1.6),
        Column(title=words("unit"), width=0.7),
        *(Column(title=name, kind="number") for name in names),
    ]
    blocks: list[Block] = [Table(caption=words("Size, energy and time"), columns=columns, rows=rows)]
    blocks.append(
        Note(
            text=words(
                "Tokens are those of the repeated work where a run has it, the same for every checkpoint, else of the "
                "whole run. Bits a weight are those on the disk; weights that are unpacked when they are loaded take "
                "the memory and time of unpacked ones."
            )
        )
    )
    return Section(title=words("What they take"), blocks=blocks)


def _child(one: Compressed, words: Words) -> Section:
    blocks: list[Block] = [Bullets(items=list(map(words.reason, one.comparison.conditions)))]
    if not one.comparison.conditions:
        blocks = []
    if one.reason is not None:
        blocks.append(Note(text=words.reason(one.reason)))
    else:
        blocks.append(_distances(one.distances(), words, words("How far it is from its parent")))
        if strata := [each for each in one.distance if each.group is not None]:
            blocks.append(_distances(strata, words, words("By kind of token")))
    sides = (words("parent"), words("child"))
    blocks.append(difference_table(words, words("By dimension"), one.by_dimension(), sides))
    singly = one.comparison.at("metric") if one.comparison.at("suite") else ()
    changed = [each for each in singly if each.is_significant]
    if changed:
        blocks.append(difference_table(words, words("Metrics that changed beyond doubt"), changed[:MOST], sides))
    gained = sum(flip.gained for flip in one.comparison.flips)
    blocks.append(
        Note(
            text=words(
                "{gained} samples turned from wrong to right, {lost} from right to wrong.",
                gained=gained,
                lost=len(one.comparison.flips) - gained,
            )
        )
    )
    return Section(title=one.comparison.second_model, blocks=blocks)


def _distances(rows: Sequence[Estimate], words: Words, caption: str) -> Table:
    return Table(
        caption=caption,
        columns=[
            Column(title=words("what"), width=2.6),
            Column(title=words("value"), kind="number"),
            Column(title=words("95 % interval"), kind="number"),
            Column(title="n", kind="number"),
            Column(title=words("unit"), width=1.1),
        ],
        rows=[
            [
                f"{words.task(one.suite, one.task)} {words.metric(one.metric)}"
                + (f" [{one.group}]" if one.group else ""),
                number(one.value),
                words.interval(one.low, one.high),
                f"{one.n:,}",
                words.term(one.unit),
            ]
            for one in rows
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A checkpoint on a figure, with the interval of what stands upward."""

    name: str
    x: float | None
    y: Estimate | None
    at: float | None = None

    def row(self) -> dict[str, object]:
        value, low, high = (self.y.value, self.y.low, self.y.high) if self.y else (self.at, None, None)
        ends = {"x_low": None, "x_high": None, "y_low": low, "y_high": high}
        return {"name": self.name, "x": self.x, "y": value, **ends}


def _tradeoffs(found: Compression, words: Words) -> list[Section]:
    figures = list(_figures(found, words))
    if not figures:
        return []
    note = Note(
        text=words(
            "A checkpoint is on the Pareto front if no other is better on one side and no worse on the other. Values "
            "decide, not their intervals: look at those before you call one beaten."
        )
    )
    return [Section(title=words("What is gained for what is lost"), blocks=[*figures, note])]


def _figures(found: Compression, words: Words) -> Iterator[Figure]:
    """The first dimension that all have a score for, and the distance, against bytes and joules."""
    sides = [(found.parent.spec.model, found.footprint, found.headlines)]
    sides += [(one.comparison.second_model, one.footprint, one.headlines) for one in found.children]
    shared = [
        one
        for one in found.headlines
        if one.direction is not None and all(_of(one.suite, listed) for _, _, listed in sides)
    ]
    for metric, unit, title in (
        (_SIZE, "B", words("size of the weights")),
        (_ENERGY, "J/token", words("energy a decoded token")),
    ):
        across = [{name: value for name, _, value in foot.rows()}[metric] for _, foot, _ in sides]
        x = charts.Axis(metric=title, unit=unit, direction="lower", log=metric == _SIZE)
        for one in shared[:1]:
            assert one.direction is not None
            y = charts.Axis(metric=words.title(one.suite), unit=words.term(one.unit), direction=one.direction)
            points = [
                _Point(name=name, x=place, y=_of(one.suite, listed))
                for (name, _, listed), place in zip(sides, across, strict=True)
            ]
            yield from _figure(points, x, y, words)
        telling = next((one.telling for one in found.children if one.telling), None)
        if telling is not None:
            y = charts.Axis(metric=words.title(telling.suite), unit=words.term(telling.unit), direction="lower")
            points = [_Point(name=found.parent.spec.model, x=across[0], y=None, at=0.0)]
            points += [
                _Point(name=one.comparison.second_model, x=place, y=one.telling)
                for one, place in zip(found.children, across[1:], strict=True)
            ]
            yield from _figure(points, x, y, words)


def _of(suite: str, headlines: Sequence[Estimate]) -> Estimate | None:
    return next((one for one in headlines if one.suite == suite), None)


def _figure(points: Sequence[_Point], x: charts.Axis, y: charts.Axis, words: Words) -> Iterator[Figure]:
    frame = pd.DataFrame([one.row() for one in points]).astype(dict.fromkeys(_NUMBERS, float))
    known = frame.dropna(subset=["x", "y"])
    if len(known) < 2:
        return
    caption = words("{y} against {x}", y=y.metric, x=x.metric)
    told = "; ".join(f"{row['name']}: {number(row['x'])}, {number(row['y'])}" for row in known.to_dict("records"))
    chart = charts.tradeoff(known, x, y, language=words.language)
    yield Figure(svg=charts.to_svg(chart), caption=caption, alternative=f"{caption}. {told}", width=0.8)


_NUMBERS = ("x", "x_low", "x_high", "y", "y_low", "y_high")
