"""Which tokens speak for a decision, and which against it."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from harness.charts.theme import BEST_WORST, Chart, Theme, chart_words, inks
from harness.core.text.display import elided, number

__all__ = ["attribution_map"]

_CHARACTER = 7.4
_LINE = 24
_LONGEST = 24
"""Characters of a token that are shown."""


def attribution_map(
    tokens: Sequence[str],
    values: Sequence[float],
    theme: Theme = "light",
    language: str = "en",
    *,
    target: str = "",
    method: str = "",
    columns: int = 44,
) -> Chart:
    """The tokens of a text as boxes in lines of `columns` characters, coloured by their attribution.

    Positive values (blue) speak for the decision `target`, negative ones (vermillion) against it. Tokens are drawn,
    never interpreted. `method` stands in the title.
    """
    t = chart_words(language)
    rows = _placed(tokens, values, columns)
    reach = max((abs(value) for value in values), default=0.0) or 1.0
    ground = inks(theme).ground
    colours = alt.Scale(domain=[-reach, 0, reach], range=[BEST_WORST[1], ground, BEST_WORST[0]], interpolate="rgb")
    across = alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, columns], nice=False))
    lines = int(rows["line"].max()) + 1 if len(rows) else 1
    order = list(range(lines))
    down = alt.Y("line:O", axis=None, sort=order, scale=alt.Scale(domain=order, paddingInner=0.1))
    base = alt.Chart(rows).encode(
        y=down,
        tooltip=[
            alt.Tooltip("token:N", title=t("token")),
            alt.Tooltip("shown:N", title=t("attribution")),
            alt.Tooltip("position:Q", title=t("position")),
        ],
    )
    # Framed, so that what speaks against is told without colours, too.
    framed = alt.condition("datum.value < 0", alt.value(inks(theme).text), alt.value("transparent"))
    boxes = base.mark_rect(cornerRadius=2, strokeWidth=1.2).encode(
        x=across,
        x2="end:Q",
        stroke=framed,
        color=alt.Color(
            "value:Q", scale=colours, title=t("for (blue), against (orange, framed)"), legend=alt.Legend(titleLimit=300)
        ),
    )
    strong = alt.condition(f"abs(datum.value) > {0.55 * reach}", alt.value("#ffffff"), alt.value(inks(theme).text))
    texts = base.mark_text(font="monospace", fontSize=12, align="center").encode(
        x=alt.X("middle:Q", axis=None), text="token:N", color=strong
    )
    title = t("Attribution to “{target}”").format(target=elided(target, 40)) if target else t("Attribution")
    title = f"{elided(method, 30)}: {title}" if method else title
    size = {"width": int(columns * _CHARACTER), "height": lines * _LINE}
    return alt.layer(boxes, texts).properties(title=alt.TitleParams(title, limit=size["width"]), **size)


def _placed(tokens: Sequence[str], values: Sequence[float], columns: int) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    line, start = 0, 0.0
    for position, (token, value) in enumerate(zip(tokens, values, strict=True)):
        # A space in front is part of most tokens: a mark keeps it in sight.
        shown = elided(token.replace(" ", "·").replace("\n", "⏎"), _LONGEST) or "·"
        width = sum(2 if ord(character) > 0x2E7F else 1 for character in shown) + 0.8
        if start + width > columns and start > 0:
            line, start = line + 1, 0.0
        end = start + min(width, columns - start)
        rows.append(
            {
                "token": shown,
                "value": float(value),
                "shown": number(float(value)),
                "position": position,
                "line": line,
                "start": round(start, 3),
                "end": round(end - 0.1, 3),
                "middle": round((start + end - 0.1) / 2, 3),
            }
        )
        start = end
    names = ["token", "value", "shown", "position", "line", "start", "end", "middle"]
    return pd.DataFrame(rows, columns=names)
