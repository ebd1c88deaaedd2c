"""Lines: a score by a quantity or as noise grows, accuracy by confidence, a lineage over time."""

import altair as alt
import pandas as pd

from harness.charts.axes import by_name, dates_axis, drawn, is_grouped_by, steps_axis, title_of
from harness.charts.theme import PALETTE, SHAPES, Chart, Theme, chart_words, inks
from harness.core.scores import SampleGroup
from harness.core.text.display import elided
from harness.core.text.translation import Translate

__all__ = ["history", "noise_ladder", "reliability", "risk_coverage", "severity_curves", "task_lines"]


def task_lines(
    scores: pd.DataFrame,
    by: str,
    title: str,
    axis: str,
    theme: Theme = "light",  # noqa: ARG001
    language: str = "en",  # noqa: ARG001
) -> Chart:
    """Shares over the quantity in the column `by`, such as a length, a line a task, with their intervals.

    `scores` has that column beside the fields of `Estimate`; title and axis are in the reader's language. The values of
    `by` stand at equal distances, in their order.
    """
    named = scores.assign(task=[elided(str(task), 40) for task in scores["task"]])
    shown = drawn(named, ["task", by, "value", "low", "high", "n"])
    steps, tasks = sorted(set(shown[by])), list(dict.fromkeys(shown["task"]))
    # Side by side, so that no line's interval hides another's.
    spread = min(0.1, 0.36 / max(1, len(tasks) - 1))
    shown["place"] = [
        steps.index(step) + spread * (tasks.index(task) - (len(tasks) - 1) / 2)
        for step, task in zip(shown[by], shown["task"], strict=True)
    ]
    unit = alt.Scale(domain=[0, 1])
    across = alt.X(
        "place:Q",
        title=axis,
        axis=alt.Axis(
            values=list(range(len(steps))), labelExpr=f"{[int(step) for step in steps]}[datum.value]", grid=False
        ),
        scale=alt.Scale(domain=[-0.4, len(steps) - 0.6], nice=False),
    )
    colours, shapes = ([marks[kind % len(marks)] for kind in range(len(tasks))] for marks in (PALETTE, SHAPES))
    base = alt.Chart(shown).encode(
        x=across,
        color=alt.Color("task:N", title=None, scale=alt.Scale(domain=tasks, range=colours)),
        tooltip=[
            alt.Tooltip("task:N", title=" "),
            alt.Tooltip(f"{by}:O", title=axis),
            alt.Tooltip("shown:N", title=title),
            alt.Tooltip("n:Q", title="n"),
        ],
    )
    up = alt.Y("value:Q", title=None, scale=unit)
    layers = (
        base.mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title=None, scale=unit), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=up),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=up, shape=alt.Shape("task:N", title=None, scale=alt.Scale(domain=tasks, range=shapes))
        ),
    )
    return alt.layer(*layers).properties(title=title, height=260)


def severity_curves(estimates: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:  # noqa: ARG001
    """The score under noise of growing severity; severity 0 is the clean prompt.

    `estimates` has `name` beside the fields of `Estimate`, of one robustness task: `clean_score` without a group and
    `noisy_score` by `severity=...`.
    """
    t, first = chart_words(language), estimates.iloc[0]
    clean = estimates[(estimates["metric"] == "clean_score") & estimates["group"].isna()]
    noisy = estimates[(estimates["metric"] == "noisy_score") & is_grouped_by(estimates, "severity")]
    severities = [int(SampleGroup.parse(text).value) for text in noisy["group"]]
    rows = pd.concat([clean.assign(severity=0), noisy.assign(severity=severities)])
    heading = t("{task}: score as noise grows").format(task=elided(first["task"], 40))
    measure = title_of(t, t("score"), first["unit"], "higher")
    return _by_severity(rows, heading, measure, t("checkpoint"), alt.Scale(zero=False, padding=12), t)


def noise_ladder(
    steps: pd.DataFrame,
    title: str,
    measure: str,
    theme: Theme = "light",  # noqa: ARG001
    language: str = "en",
) -> Chart:
    """A measure from 0 up by the severity of each kind of noise, a line a kind; severity 0 is what is clean.

    `steps` has `name` (the kind) and `severity` beside the fields of `Estimate`, all of one unit and direction; names,
    title and measure are in the reader's language.
    """
    t, first = chart_words(language), steps.iloc[0]
    up = title_of(t, measure, first["unit"], first["direction"])
    return _by_severity(steps, title, up, t("kind of noise"), alt.Scale(zero=True), t)


def _by_severity(rows: pd.DataFrame, heading: str, measure: str, of: str, scale: alt.Scale, t: Translate) -> Chart:
    """A line for each `name`, which is a thing of the kind `of`."""
    shown = drawn(rows, ["name", "severity", "value", "low", "high", "n"])
    marks = by_name(list(shown["name"]), of)
    # Side by side, so that no line's interval hides another's.
    places = {name: index for index, name in enumerate(dict.fromkeys(shown["name"]))}
    shown["place"] = shown["severity"] + 0.08 * (shown["name"].map(places) - (len(places) - 1) / 2)
    ends = pd.concat([shown["place"], shown["severity"]])
    base = alt.Chart(shown).encode(
        x=alt.X(
            "place:Q",
            title=t("severity of the noise (0: clean)"),
            axis=alt.Axis(values=sorted(set(shown["severity"])), format="d"),
            scale=alt.Scale(nice=False, padding=14, domain=[float(ends.min()), float(ends.max())]),
        ),
        tooltip=[
            alt.Tooltip("name:N", title=of),
            alt.Tooltip("severity:Q", title=t("severity"), format="d"),
            alt.Tooltip("shown:N", title=measure),
            alt.Tooltip("n:Q", title="n"),
        ],
    )
    up = alt.Y("value:Q", title=measure, scale=scale)
    layers = (
        base.mark_rule(strokeWidth=2, opacity=0.5).encode(
            y=alt.Y("low:Q", title=measure), y2="high:Q", color=marks["color"]
        ),
        base.mark_line(strokeWidth=2).encode(y=up, color=marks["color"]),
        base.mark_point(filled=True, size=70, opacity=1).encode(y=up, **marks),
    )
    return alt.layer(*layers).properties(title=heading, height=260)


def reliability(estimates: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """Accuracy by stated confidence; a calibrated model lies on the dashed diagonal.

    `estimates` has the fields of `Estimate`, of one calibration task: `acc` and `overconfidence` by `confidence=...`,
    whose sum is a bin's mean confidence.
    """
    t, ink, first = chart_words(language), inks(theme), estimates.iloc[0]
    bins = estimates[is_grouped_by(estimates, "confidence")]
    accuracy = bins[bins["metric"] == "acc"].set_index("group")
    over = bins[bins["metric"] == "overconfidence"].set_index("group")["value"]
    rows = drawn(accuracy.reset_index(), ["group", "value", "low", "high", "n"])
    rows["confidence"] = [
        value + over.get(group, float("nan")) for group, value in zip(rows["group"], rows["value"], strict=True)
    ]
    diagonal = alt.Chart(pd.DataFrame({"confidence": [0.0, 1.0], "value": [0.0, 1.0]}))
    unit = alt.Scale(domain=[0, 1])
    across = alt.X("confidence:Q", title=t("mean confidence (probability)"), scale=unit)
    up = alt.Y("value:Q", title=t("accuracy (share)"), scale=unit)
    base = alt.Chart(rows).encode(
        x=across,
        tooltip=[
            alt.Tooltip("group:N", title=t("bin")),
            alt.Tooltip("confidence:Q", title=t("mean confidence (probability)"), format=".3f"),
            alt.Tooltip("shown:N", title=t("accuracy (share)")),
            alt.Tooltip("n:Q", title="n"),
        ],
    )
    layers = (
        diagonal.mark_line(strokeDash=[5, 4], color=ink.faint).encode(x=across, y=up),
        base.mark_rule(strokeWidth=2, color=PALETTE[0], opacity=0.7).encode(y=alt.Y("low:Q", title=""), y2="high:Q"),
        base.mark_point(filled=True, color=PALETTE[0], opacity=1).encode(
            y=up,
            size=alt.Size(
                "n:Q",
                title=t("samples in the bin"),
                scale=alt.Scale(range=[40, 320]),
                legend=alt.Legend(values=sorted({int(rows["n"].min()), int(rows["n"].max())}) if len(rows) else []),
            ),
        ),
    )
    heading = t("{task}: reliability (on the diagonal is best)").format(task=elided(first["task"], 40))
    return alt.layer(*layers).properties(title=heading, height=300)


def risk_coverage(curve: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """The share of errors among the most confident answers, as more of them are taken; lower is better.

    `curve` has task, `coverage` and `risk`, both shares, of one task; the line ends at the plain error rate, which is
    also dashed, as it would be without any order.
    """
    t, ink = chart_words(language), inks(theme)
    rows = curve[["coverage", "risk"]]
    across = alt.X("coverage:Q", title=t("coverage: most confident answers (share)"), scale=alt.Scale(domain=[0, 1]))
    up = alt.Y("risk:Q", title=f"{t('errors among them (share)')} ↓", scale=alt.Scale(domain=[0, 1]))
    tooltip = [
        alt.Tooltip("coverage:Q", title=t("coverage: most confident answers (share)"), format=".2f"),
        alt.Tooltip("risk:Q", title=t("errors among them (share)"), format=".3f"),
    ]
    end = float(rows.sort_values("coverage")["risk"].iloc[-1])
    level = alt.Chart(pd.DataFrame({"coverage": [0.0, 1.0], "risk": [end, end]}))
    layers = (
        level.mark_line(strokeDash=[5, 4], color=ink.faint).encode(x=across, y=up),
        alt.Chart(rows).mark_line(color=PALETTE[0], strokeWidth=2).encode(x=across, y=up, tooltip=tooltip),
    )
    heading = t("{task}: errors by how many answers are taken").format(task=elided(curve.iloc[0]["task"], 40))
    return alt.layer(*layers).properties(title=heading, height=300)


def history(scores: pd.DataFrame, theme: Theme = "light", language: str = "en") -> Chart:
    """One dimension of a lineage over the steps of its training, or over time, with 95 % intervals; regressions are
    marked.

    `scores` has started_at (UTC), name and `regressed` (whether worse than the run before beyond doubt) beside the
    fields of `Estimate`, all rows of one suite; the column `step`, whole numbers, where that is what it is over; and
    `line`, where not all of them may be joined: the same of runs that may.
    """
    t, first = chart_words(language), scores.iloc[0]
    is_by_step = "step" in scores
    asked = ["name", "started_at", "value", "low", "high", "n", "regressed", "line", *(["step"] if is_by_step else [])]
    rows = drawn(scores if "line" in scores else scores.assign(line=0), asked)
    rows["started_at"] = pd.to_datetime(rows["started_at"], utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows["state"] = [t("worse than the run before") if bad else t("no regression") for bad in rows["regressed"]]
    measure = title_of(t, first["metric"], first["unit"], first["direction"], first["target"])
    base = alt.Chart(rows).encode(
        x=steps_axis(t) if is_by_step else dates_axis(t),
        tooltip=[
            alt.Tooltip("name:N", title=t("checkpoint")),
            *([alt.Tooltip("step:Q", title=t("step of the training"), format=",d")] if is_by_step else []),
            alt.Tooltip("started_at:N", title=t("date of the run (UTC)")),
            alt.Tooltip("shown:N", title=measure),
            alt.Tooltip("n:Q", title="n"),
            alt.Tooltip("state:N", title=" "),
        ],
    )
    up = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=12))
    domain = [t("no regression"), t("worse than the run before")]
    layers = (
        base.mark_line(color=PALETTE[0], strokeWidth=1.5).encode(y=up, detail="line:N"),
        base.mark_rule(strokeWidth=2, color=inks(theme).faint).encode(y=alt.Y("low:Q", title=measure), y2="high:Q"),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            y=up,
            color=alt.Color("state:N", title=None, scale=alt.Scale(domain=domain, range=[PALETTE[0], PALETTE[5]])),
            shape=alt.Shape("state:N", title=None, scale=alt.Scale(domain=domain, range=["circle", "triangle-down"])),
        ),
    )
    return alt.layer(*layers).properties(title=elided(first["suite"]), height=240)
