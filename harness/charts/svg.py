"""Charts for paper: SVG without a browser."""

import re

import vl_convert

from harness.charts.theme import FONT, Chart, Theme, inks, themed

__all__ = ["to_svg"]

_COUNTED = re.compile(r"\b(gradient_|clip)\d+")
"""Ids that the renderer counts through its whole life."""


def to_svg(chart: Chart, theme: Theme = "light", *, width: int = 640) -> str:
    """The chart as an SVG document: the same text for the same chart. Nothing is fetched.

    A chart without a width of its own is `width` pixels wide, axes not counted. Texts stay texts, in the family `FONT`.
    """
    sized = chart if isinstance(chart.width, int) else chart.properties(width=width)
    spec = themed(sized, theme, font=FONT, background=inks(theme).ground).to_dict()
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    numbers: dict[str, int] = {}
    return _COUNTED.sub(lambda found: f"{found[1]}{numbers.setdefault(found[0], len(numbers))}", svg)
