"""One look for all charts: colours that the colour-blind can tell apart, on light and on dark ground."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import altair as alt

from harness.core.text.translation import Translate, naming, translator

__all__ = [
    "BEST_WORST",
    "FONT",
    "PALETTE",
    "SHAPES",
    "Chart",
    "Panels",
    "Theme",
    "chart_words",
    "inks",
    "metric_names",
    "themed",
]

Theme = Literal["light", "dark"]

Chart: TypeAlias = alt.Chart | alt.LayerChart
"""A chart of one view: it can be as wide as its container."""

Panels: TypeAlias = alt.ConcatChart
"""Several charts beside each other."""

_Look = TypeVar("_Look", alt.Chart, alt.LayerChart, alt.ConcatChart, Chart, Chart | Panels)

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999")
"""The colours of Okabe and Ito, "Color Universal Design" (2008), without black and yellow, which a ground swallows."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""A second mark beside the colour, in the same order."""

BEST_WORST = ("#0072B2", "#D55E00")
"""For two poles: better or for, worse or against."""

FONT = "DejaVu Sans, Noto Sans CJK SC, sans-serif"
"""What a renderer outside a browser finds: the first comes with matplotlib, the second with the extra `chinese`."""

_FOUR_DIGITS = (
    "isNumber(datum.value) && datum.label != '' ? format(datum.value, abs(datum.value) < 1e4 ? '.4~g' : '.4~s') "
    ": datum.label"
)
"""What stands at a tick: of a number at most four digits, thousands and millions by their letter."""

_SCREEN_FONT = '"Source Sans", "Source Sans Pro", "Noto Sans SC", sans-serif'


@dataclass(frozen=True, slots=True)
class Inks:
    """Colours that depend on the ground: text, weaker text, grid lines, and the ground itself."""

    text: str
    faint: str
    grid: str
    ground: str


_INKS: Mapping[Theme, Inks] = {
    "light": Inks("#1f2430", "#5b6270", "#e3e6ea", "#ffffff"),
    "dark": Inks("#f0f2f6", "#a9b0bd", "#343a46", "#0e1117"),
}


def inks(theme: Theme) -> Inks:
    """The colours for a ground."""
    return _INKS[theme]


def chart_words(language: str) -> Translate:
    """The words of the charts in a language."""
    return translator(Path(__file__).parent, language)


def metric_names(language: str) -> Translate:
    """What people call common metrics in a language, by the names that records know."""
    return naming(Path(__file__).parent, language)


def themed(chart: _Look, theme: Theme, *, font: str = _SCREEN_FONT, background: str = "transparent") -> _Look:
    """The chart in the look of all charts; what a chart sets by itself stays."""
    ink = inks(theme)
    axis = {
        "labelColor": ink.faint,
        "titleColor": ink.text,
        "gridColor": ink.grid,
        "domainColor": ink.grid,
        "tickColor": ink.grid,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 500,
        "labelLimit": 210,
        "labelOverlap": "parity",
        "labelExpr": _FOUR_DIGITS,
        "labelSeparation": 6,
    }
    legend = {"labelColor": ink.text, "titleColor": ink.text, "labelFontSize": 12, "labelLimit": 220}
    legend |= {"orient": "bottom", "columns": 2}
    return chart.configure(
        background=background,
        font=font,
        axis=alt.AxisConfig(**axis),
        legend=alt.LegendConfig(**legend),
        title=alt.TitleConfig(color=ink.text, anchor="start", fontSize=14, fontWeight=600, offset=10),
        text=alt.MarkConfig(color=ink.text, fontSize=12),
        rule=alt.MarkConfig(color=ink.text),
        view=alt.ViewConfig(stroke=None),
        range=alt.RangeConfig(category=list(PALETTE), symbol=list(SHAPES)),
    )
