"""Charts of scores: from frames to charts, with nothing read and nothing written.

Every chart has a title, units and tooltips, colours that the colour-blind can tell apart, and a look for light and for
dark ground (`themed`). Texts of unknown origin are shown, never interpreted. Leaderboard and report draw the same ones.
"""

from harness.charts.attribution import attribution_map
from harness.charts.bars import dimension_bars, energy_by_phase, group_bars
from harness.charts.curves import history, noise_ladder, reliability, risk_coverage, severity_curves, task_lines
from harness.charts.dimensions import by_quantity, dimensions
from harness.charts.forest import VERDICTS, forest
from harness.charts.radar import MOST, SCALE, radar
from harness.charts.scorecard import scorecard, than_chance_words
from harness.charts.svg import to_svg
from harness.charts.theme import FONT, PALETTE, Chart, Panels, Theme, chart_words, metric_names, themed
from harness.charts.tradeoff import Axis, pareto_front, tradeoff

__all__ = [
    "FONT",
    "MOST",
    "PALETTE",
    "SCALE",
    "VERDICTS",
    "Axis",
    "Chart",
    "Panels",
    "Theme",
    "attribution_map",
    "by_quantity",
    "chart_words",
    "dimension_bars",
    "dimensions",
    "energy_by_phase",
    "forest",
    "group_bars",
    "history",
    "metric_names",
    "noise_ladder",
    "pareto_front",
    "radar",
    "reliability",
    "risk_coverage",
    "scorecard",
    "severity_curves",
    "task_lines",
    "than_chance_words",
    "themed",
    "to_svg",
    "tradeoff",
]
