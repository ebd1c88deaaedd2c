"""The pictures and sounds of single samples, on paper."""

import base64
import struct
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from harness.core.errors import DataError
from harness.core.media import AUDIO, media_type_of
from harness.core.requests import AttributePicture, AttributeSound
from harness.media.heat import heat_map
from harness.media.shown import as_png
from harness.record.media import grid_of, media_names
from harness.report.blocks import Block, Figure, Note
from harness.report.context import ReportContext

__all__ = ["heat_svg", "media_figures"]

_WIDE, _SQUARE = 0.7, 0.28
"""Widths of spectrograms and of pictures."""


def media_figures(context: ReportContext, names: Sequence[str]) -> list[Block]:
    """Each picture, and of each sound its spectrogram; a note in the place of what the record doesn't keep."""
    words = context.words
    found: list[Block] = []
    for name in names:
        medium = context.record.medium(name)
        try:
            png = as_png(medium) if medium is not None else None
        except DataError:
            png = None
        if png is None:
            found.append(Note(text=words("A picture or sound of this sample is not in the record, or was changed.")))
            continue
        if media_type_of(name) == AUDIO:
            caption = words("Spectrogram of the sound: time from left to right, pitch from below, loud is dark")
        else:
            caption = words("The picture that was asked about")
        width = _WIDE if media_type_of(name) == AUDIO else _SQUARE
        found.append(Figure(svg=_framed(png), caption=caption, alternative=caption, width=width))
    return found


def heat_svg(context: ReportContext, row: Mapping[Hashable, Any]) -> tuple[str, float] | None:
    """The picture of an explained decision with the worth of its parts; None where a text was explained, or it is lost.

    Of a sound it is the spectrogram. With it comes its width, as a share of the page's.

    `row` is one of the record's attributions.
    """
    asked = context.samples
    if "settings" not in asked:
        return None
    mine = asked[(asked["suite"] == row["suite"]) & (asked["task"] == row["task"])]
    mine = mine[
        (mine["sample_id"] == row["sample_id"]) & mine["kind"].isin([AttributePicture.kind, AttributeSound.kind])
    ]
    if mine.empty:
        return None
    settings = mine["settings"].iloc[0]
    grid, names = grid_of(settings), media_names(settings)
    medium = context.record.medium(names[0]) if names else None
    if grid is None or medium is None:
        return None
    try:
        drawn = _framed(heat_map(medium, [float(value) for value in row["values"]], grid))
        return drawn, _WIDE if media_type_of(medium) == AUDIO else _SQUARE
    except (DataError, ValueError):
        return None


def _framed(png: bytes) -> str:
    """An SVG that is this picture and nothing else."""
    width, height = struct.unpack(">II", png[16:24])
    content = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{content}"/></svg>'
    )
