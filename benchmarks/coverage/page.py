"""The table of the simulation as a page."""

from collections.abc import Sequence

from benchmarks.coverage.simulation import Row, allowed

__all__ = ["markdown"]


def markdown(rows: Sequence[Row]) -> str:
    """Two tables: intervals of one run's numbers, and differences of two runs at the gate's margin."""
    alone = [row for row in rows if not row.paired]
    paired = [row for row in rows if row.paired]
    parts = [_table(group) for group in (alone, paired) if group]
    return "\n\n".join(parts)


def _table(rows: Sequence[Row]) -> str:
    head = (
        "| metric | truth | n | draws | covers | too low | too high | gate, low | gate, high | absent | width | |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    )
    return "\n".join([*head, *map(_line, rows)])


def _line(row: Row) -> str:
    size = f"{row.n} in clusters" if row.clustered else f"{row.n}"
    shares = (row.coverage, row.below, row.above, row.false_low, row.false_high)
    shown = [f"{100 * share:.1f}" for share in shares] if row.absent < 1 else ["" for _ in shares]
    said = "" if allowed(row) else "**out of bounds**"
    if row.edge and row.coverage > 0.97:
        said = row.edge
    name = f"{row.scenario} ({row.truth:.4g})"
    cells = (row.metric, name, size, f"{row.draws:,}", *shown, f"{100 * row.absent:.1f}", f"{row.mean_width:.3g}", said)
    return f"| {' | '.join(cells)} |"
