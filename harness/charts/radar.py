"""Several dimensions of a checkpoint at a glance, for shape rather than for reading off."""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from harness.charts.axes import LABEL, by_name
from harness.charts.theme import Chart, Theme, chart_words, inks
from harness.core.text.display import apart, elided, number

__all__ = ["MOST", "SCALE", "radar"]

MOST = 4
"""Checkpoints that one radar can hold; draw one radar each beyond."""

SCALE = "each from 0 (centre: guessing, or the worst there can be) to 1 (rim: the best there can be)"
"""What a radar's distance from the centre means; for a small one it has to be said beside."""

_RINGS = (0.25, 0.5, 0.75, 1.0)
_SIDE = 340
_EDGE, _TOP = 1.7, 1.25
"""How far the drawing reaches beside and above the rim, whose radius is 1: there the labels stand."""


def radar(
    scores: pd.DataFrame, suites: Sequence[str], theme: Theme = "light", language: str = "en", *, size: int = _SIDE
) -> Chart:
    """Checkpoints as polygons over `suites`, one spoke each, clockwise from the top.

    `scores` has name, suite and `scaled` (0 at the centre is worst, 1 at the rim is best), and may have `shown` for
    what the score is in its own unit. A missing score leaves a gap in the outline; it's never drawn at 0.
    Raises `ValueError` for more than `MOST` checkpoints.
    """
    t, ink = chart_words(language), inks(theme)
    names = list(dict.fromkeys(scores["name"]))
    if len(names) > MOST:
        raise ValueError(f"a radar holds {MOST} checkpoints, not {len(names)}")
    # Under the same short names as colours and legend have them: a point of another name has no colour.
    shown = dict(zip(names, apart(names, LABEL), strict=True))
    across, up = (
        getattr(alt, channel)(f"{axis}:Q", axis=None, scale=alt.Scale(domain=[-edge, edge]))
        for channel, axis, edge in (("X", "x", _EDGE), ("Y", "y", _TOP))
    )
    angles = {suite: math.tau * index / len(suites) for index, suite in enumerate(suites)}
    rim = pd.DataFrame([{"suite": elided(suite, 16), **_at(angle, 1)} for suite, angle in angles.items()])
    rim["end_x"], rim["end_y"] = 0.0, 0.0
    labels = pd.DataFrame([{"suite": elided(suite, 16), **_at(angle, 1.13)} for suite, angle in angles.items()])
    points, outline = _polygons(scores, shown, angles)
    marks = by_name(names, t("checkpoint"))
    tooltip = [
        alt.Tooltip("name:N", title=t("checkpoint")),
        alt.Tooltip("suite:N", title=t("dimension")),
        alt.Tooltip("scaled:Q", format=".3f", title=t("scaled 0 to 1")),
        alt.Tooltip("shown:N", title=t("score")),
    ]
    layers = [
        alt.Chart(_rings())
        .mark_line(color=ink.grid, strokeWidth=1)
        .encode(x=across, y=up, detail="ring:N", order="order:Q"),
        alt.Chart(rim).mark_rule(color=ink.grid).encode(x=across, y=up, x2="end_x:Q", y2="end_y:Q"),
        *(
            alt.Chart(some).mark_text(fontSize=11, color=ink.text, align=align).encode(x=across, y=up, text="suite:N")
            for align, some in _sides(labels)
        ),
        alt.Chart(outline)
        .mark_line(strokeWidth=2)
        .encode(x=across, y=up, order="order:Q", detail="piece:N", color=marks["color"]),
        alt.Chart(points).mark_point(filled=True, size=60, opacity=1).encode(x=across, y=up, tooltip=tooltip, **marks),
    ]
    title = t("Dimensions") if len(names) > 1 else elided(names[0], 36)
    # A small one stands among others, where one line above all of them says the same.
    scale = {"subtitle": t(SCALE), "subtitleColor": ink.faint} if size >= _SIDE else {}
    heading = alt.TitleParams(title, limit=size, **scale)
    return alt.layer(*layers).properties(title=heading, width=size, height=round(size * _TOP / _EDGE))


def _rings() -> pd.DataFrame:
    ticks = [position / 120 * math.tau for position in range(121)]
    return pd.DataFrame(
        [{"ring": ring, "order": order, **_at(angle, ring)} for ring in _RINGS for order, angle in enumerate(ticks)]
    )


def _polygons(
    scores: pd.DataFrame, names: Mapping[str, str], angles: dict[str, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points, and outlines between neighbours that both have a score; `names` says what each checkpoint is called."""
    points, outline = [], []
    for name, called in names.items():
        mine = scores[scores["name"] == name].set_index("suite")
        placed: list[dict[str, object] | None] = []
        for suite, angle in angles.items():
            scaled = mine["scaled"].get(suite)
            if scaled is None or pd.isna(scaled):
                placed.append(None)
                continue
            shown = mine["shown"].get(suite) if "shown" in mine else number(float(scaled))
            point = {"name": called, "suite": elided(suite, 16), "scaled": float(scaled), "shown": shown}
            placed.append({**point, **_at(angle, min(max(float(scaled), 0.0), 1.0))})
        points += [point for point in placed if point is not None]
        for index, (one, other) in enumerate(zip(placed, [*placed[1:], placed[0]], strict=True)):
            if one is not None and other is not None:
                piece = f"{name}-{index}"
                outline += [{**end, "order": order, "piece": piece} for order, end in enumerate((one, other))]
    columns = ["name", "suite", "scaled", "shown", "x", "y"]
    return pd.DataFrame(points, columns=columns), pd.DataFrame(outline, columns=[*columns, "order", "piece"])


def _sides(labels: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Labels by how they're aligned, so that they grow away from the rim."""
    left, right = labels["x"] < -0.3, labels["x"] > 0.3
    sides = (("right", labels[left]), ("left", labels[right]), ("center", labels[~left & ~right]))
    return [(align, some) for align, some in sides if len(some)]


def _at(angle: float, radius: float) -> dict[str, float]:
    return {"x": round(radius * math.sin(angle), 6), "y": round(radius * math.cos(angle), 6)}
