"""Bars with error bars: one dimension of several runs, one metric of several groups, joules by phase."""

import altair as alt
import pandas as pd

from harness.charts.axes import LABEL, drawn, title_of
from harness.charts.theme import PALETTE, Chart, Theme, chart_words, inks
from harness.core.scores import SampleGroup
from harness.core.text.display import apart, elided, number

__all__ = ["dimension_bars", "energy_by_phase", "group_bars"]

_ROW = 30
"""Pixels a bar, its gap included."""


def dimension_bars(scores: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """One suite's headline of several runs, with a dashed line at what guessing gives, where that is known.

    `scores` has `name` beside the fields of `Estimate`, all rows of one suite, which stands there by its title, and may
    have `chance`; rows without a value are left out.
    """
    t = chart_words(language)
    first = scores.iloc[0]
    measure = title_of(t, first["metric"], first["unit"], first["direction"], first["target"])
    levels = sorted(set(scores["chance"].dropna())) if "chance" in scores else []
    if levels:
        measure += " · " + t("dashed: chance {value}").format(value=" / ".join(map(number, levels)))
    chart = _bars(
        drawn(scores, ["name", "value", "low", "high", "n", "basis"]),
        "name",
        title=elided(first["suite"]),
        measure=measure,
        label=t("checkpoint"),
        theme=theme,
    )
    return _with_line(chart, pd.DataFrame({"value": levels, "name": t("chance")})) if levels else chart


def group_bars(estimates: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """One metric of one task by group, with a dashed line at the value of all samples.

    `estimates` has the fields of `Estimate`: rows of groups, and one without a group if that is known.
    """
    t, first = chart_words(language), estimates.iloc[0]
    of_groups = estimates[estimates["group"].notna() & estimates["value"].notna()]
    groups = drawn(of_groups, ["group", "value", "low", "high", "n", "basis"])
    parsed = [SampleGroup.parse(text) for text in of_groups["group"]]
    alike = len({group.attribute for group in parsed}) == 1
    named = apart([group.value if alike else str(group) for group in parsed], LABEL - 8)
    groups["group"] = [f"{name} (n = {n})" for name, n in zip(named, groups["n"], strict=True)]
    chart = _bars(
        groups,
        "group",
        title=t("{task}: {metric} by group").format(task=elided(first["task"], 30), metric=elided(first["metric"], 40)),
        measure=title_of(t, first["metric"], first["unit"], first["direction"], first["target"]),
        label=t("group"),
        theme=theme,
    )
    overall = estimates[estimates["group"].isna() & estimates["value"].notna()]
    if overall.empty:
        return chart
    return _with_line(chart, overall[["value"]].assign(name=t("all samples")))


def _with_line(chart: alt.LayerChart, at: pd.DataFrame) -> alt.LayerChart:
    """The bars with a dashed line at each value, which is called by its `name`."""
    line = alt.Chart(at).mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
    tooltip = [alt.Tooltip("name:N", title=" "), alt.Tooltip("value:Q", format=".4g")]
    return alt.layer(chart, line.encode(x=alt.X("value:Q"), tooltip=tooltip)).properties(**_properties(chart))


def energy_by_phase(
    estimates: pd.DataFrame,
    theme: Theme = "light",  # noqa: ARG001
    language: str = "en",
) -> Chart:
    """Joules of each phase of a run: above idle, and what the machine would have drawn anyhow.

    `estimates` has the fields of `Estimate`; read are the metrics `energy_joules` and `net_energy_joules`, a phase a
    task. The whole run and idling are left out.
    """
    t = chart_words(language)
    wide = _phase_joules(estimates)
    basis = ", ".join(sorted(set(estimates.loc[estimates["metric"] == "energy_joules", "basis"])))
    parts = {t("above idle"): wide["net_energy_joules"], t("idle power x time"): wide["idle_joules"]}
    order = apart([str(name) for name in wide.index], LABEL)
    rows = pd.concat(
        [pd.DataFrame({"phase": order, "part": part, "joules": list(values)}) for part, values in parts.items()]
    ).dropna()
    scale = alt.Scale(domain=list(parts), range=[PALETTE[1], PALETTE[6]])
    return (
        alt.Chart(rows, title=t("Energy by phase ({basis})").format(basis=t(basis)))
        .mark_bar()
        .encode(
            y=alt.Y("phase:N", title=None, sort=order),
            x=alt.X("joules:Q", title=t("energy (J) ↓"), stack=True),
            color=alt.Color("part:N", title=None, sort=list(parts), scale=scale),
            tooltip=[
                alt.Tooltip("phase:N", title=t("phase")),
                alt.Tooltip("part:N", title=" "),
                alt.Tooltip("joules:Q", format=",.4~g", title="J"),
            ],
        )
        .properties(height=_ROW * len(order))
    )


def _phase_joules(estimates: pd.DataFrame) -> pd.DataFrame:
    chosen = estimates[
        estimates["metric"].isin(["energy_joules", "net_energy_joules"])
        & ~estimates["task"].isin(["run", "idle"])
        & estimates["group"].isna()
    ]
    wide = chosen.pivot_table(index="task", columns="metric", values="value", sort=False)
    wide = wide.reindex(columns=["energy_joules", "net_energy_joules"])
    # Where the idle power is unknown, so is what goes beyond it: all is then drawn as one part.
    unknown = wide["net_energy_joules"].isna()
    wide["idle_joules"] = (wide["energy_joules"] - wide["net_energy_joules"]).where(~unknown, wide["energy_joules"])
    return wide.sort_values("energy_joules", ascending=False, kind="stable")


def _bars(frame: pd.DataFrame, by: str, *, title: str, measure: str, label: str, theme: Theme) -> alt.LayerChart:
    order = list(dict.fromkeys(frame[by]))
    position = alt.Y(f"{by}:N", sort=order, title=None)
    tooltip = [
        alt.Tooltip(f"{by}:N", title=label),
        alt.Tooltip("shown:N", title=measure),
        alt.Tooltip("n:Q", title="n"),
        alt.Tooltip("basis:N", title=" "),
    ]
    base = alt.Chart(frame, title=title).encode(y=position, tooltip=tooltip)
    # Channels, because Altair holds one that is a text ("low:Q") against its whole schema: half the time of a chart.
    low, high = alt.X("low:Q"), alt.X("high:Q")
    bars = base.mark_bar(color=PALETTE[0], opacity=0.75, height=14).encode(x=alt.X("value:Q", title=measure))
    errors = base.mark_rule(strokeWidth=2, color=inks(theme).text).encode(x=low, x2=alt.X2("high:Q"))
    ends = base.mark_tick(thickness=2, size=9, color=inks(theme).text)
    layers = (bars, errors, ends.encode(x=low), ends.encode(x=high))
    return alt.layer(*layers, title=title, height=_ROW * max(len(order), 1))


def _properties(chart: alt.LayerChart) -> dict[str, object]:
    return {"title": chart.title, "height": chart.height}
