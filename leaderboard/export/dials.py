"""One score drawn on a line from the worst that it can be to the best, with its interval and what guessing gives."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

__all__ = ["dial"]

_WIDTH, _HEIGHT, _MARGIN = 240.0, 24.0, 8.0
_MIDDLE = _HEIGHT / 2


def dial(row: Mapping[Any, Any], told: str) -> Markup:
    """The drawing of a row of `scorecard_rows`, as a part of a page that says its colours; `told` says it in words.

    Empty where the ends of the line are open: no place on it would mean a thing.
    """
    value, low, high, chance = (_place(row[f"place{suffix}"]) for suffix in ("", "_low", "_high", "_chance"))
    if value is None:
        return Markup()
    start, end = _MARGIN, _WIDTH - _MARGIN
    parts = [f'<line class="track" x1="{start:g}" y1="{_MIDDLE:g}" x2="{end:g}" y2="{_MIDDLE:g}"/>']
    parts.append(f'<path class="optimum" d="M{end:g} 5l5 7l-5 7l-5 -7z"/>')
    if chance is not None:
        parts.append(f'<line class="chance" x1="{chance}" y1="2" x2="{chance}" y2="22"/>')
    if low is not None and high is not None:
        parts.append(f'<line class="reach" x1="{low}" y1="{_MIDDLE:g}" x2="{high}" y2="{_MIDDLE:g}"/>')
    parts.append(f'<circle class="value" cx="{value}" cy="{_MIDDLE:g}" r="5"/>')
    head = f'<svg class="dial" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(told)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")


def _place(share: Any) -> str | None:
    """Where a share of the line lies, in its units."""
    if share is None or pd.isna(share):
        return None
    return f"{_MARGIN + float(share) * (_WIDTH - 2 * _MARGIN):.1f}"
