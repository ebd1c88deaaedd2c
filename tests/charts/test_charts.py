"""Charts as they are drawn: what marks stand where, in the renderer that the report uses."""

import itertools
import re

import pandas as pd
import pytest

from harness import charts
from harness.charts import Axis

HOSTILE = "<script>alert(1)</script>\u202e=cmd()"
SCORE = {
    "suite": "accuracy",
    "task": "piqa",
    "metric": "acc",
    "unit": "share",
    "direction": "higher",
    "target": None,
    "basis": "measured",
    "n": 20,
}


def rows(*changes):
    return pd.DataFrame([{**SCORE, "group": None, "name": "model", "low": 0.4, "high": 0.6, **one} for one in changes])


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


SCORES = rows({"value": 0.5}, {"name": HOSTILE, "value": 0.55}, {"name": "third", "value": None})
BINS = rows(
    {"group": "confidence=0.5-0.6", "metric": "acc", "value": 0.4},
    {"group": "confidence=0.5-0.6", "metric": "overconfidence", "value": 0.15},
)
NOISE = rows(
    {"metric": "clean_score", "value": 0.8},
    *({"metric": "noisy_score", "group": f"severity={n}", "value": 0.8 - n / 10} for n in (1, 2)),
)
POINTS = pd.DataFrame(
    {
        "name": ["cheap", "good", "beaten"],
        "x": [1.0, 5.0, 6.0],
        "y": [0.4, 0.8, 0.7],
        "x_low": [None] * 3,
        "x_high": [None] * 3,
        "y_low": [0.3, 0.7, 0.6],
        "y_high": [0.5, 0.9, 0.8],
    }
)
JOULES, SHARE = Axis(metric="energy", unit="J", direction="lower"), Axis(metric="acc", unit="share", direction="higher")
CARD = pd.DataFrame(
    {
        "metric": "acc",
        "unit": "share",
        "direction": "higher",
        "target": None,
        "n": 20,
        "value": [0.7, 0.3, 1.8],
        "low": [0.6, 0.2, None],
        "high": [0.8, 0.5, None],
        "chance": [0.5, 0.25, None],
        "optimum": [1.0, 1.0, 0.0],
        "place": [0.7, 0.3, None],
        "place_low": [0.6, 0.2, None],
        "place_high": [0.8, 0.5, None],
        "place_chance": [0.5, 0.25, None],
    }
)
DRAWN = {
    "dimension": lambda t, c: charts.dimension_bars(SCORES, t, c),
    "groups": lambda t, c: charts.group_bars(rows({"value": 0.5}, {"value": 0.4, "group": f"kind={HOSTILE}"}), t, c),
    "severity": lambda t, c: charts.severity_curves(NOISE, t, c),
    "ladder": lambda t, c: charts.noise_ladder(
        rows(*({"name": name, "value": n / 2, "severity": n} for name in ("babble", HOSTILE) for n in range(4))),
        *("errors as noise grows", "errors", t, c),
    ),
    "reliability": lambda t, c: charts.reliability(BINS, t, c),
    "tradeoff": lambda t, c: charts.tradeoff(POINTS, JOULES, SHARE, t, c),
    "attribution": lambda t, c: charts.attribution_map([HOSTILE, " sky"], [1.0, -0.5], t, c, target=HOSTILE),
    "forest": lambda t, c: charts.forest(
        pd.DataFrame({"label": [HOSTILE], "difference": [0.1], "low": [0.0], "high": [0.2], "verdict": ["better"]}),
        t,
        c,
    ),
    "lines": lambda t, c: charts.task_lines(
        rows({"task": HOSTILE, "value": 0.5, "length": 512}, {"task": HOSTILE, "value": 0.25, "length": 1024}),
        *("length", "right answers by length", "tokens of the text", t, c),
    ),
    "scorecard": lambda t, c: charts.scorecard(
        CARD.assign(title=["Accuracy", HOSTILE, "Bits"], word=["better", "can't tell", None]), t, c
    ),
    "history": lambda t, c: charts.history(
        rows({"value": 0.5, "started_at": "2026-11-01T10:00:00+00:00", "regressed": True}), t, c
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_drawn_with_a_title_and_shows_hostile_texts_as_text(name):
    svg = charts.to_svg(DRAWN[name]("light", "en"))
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "role-title" in svg
    assert svg == charts.to_svg(DRAWN[name]("light", "en"))
    assert svg != charts.to_svg(DRAWN[name]("dark", "en"), "dark")


def test_a_history_over_steps_has_them_on_its_axis():
    told = {"started_at": "2026-11-01T10:00:00+00:00", "regressed": False, "low": 0.3, "high": 0.6}
    frame = rows(*({"value": 0.5, "step": step, **told} for step in (1000, 143_000)))
    svg = charts.to_svg(charts.history(frame))
    assert "step of the training" in texts(svg)
    assert any(text.endswith("k") for text in texts(svg))
    assert "date of the run (UTC)" not in texts(svg)


def test_a_score_that_is_missing_has_no_bar():
    svg = charts.to_svg(charts.dimension_bars(SCORES))
    assert "third" not in svg
    assert "model" in texts(svg)


def test_axes_have_units_and_the_way_that_is_better():
    assert "acc (share) ↑" in texts(charts.to_svg(charts.dimension_bars(SCORES)))


@pytest.mark.parametrize("scale", [1e-3, 0.1234567, 1.0, 123.4567, 12_345.67, 9_876_543.0])
def test_a_tick_has_at_most_four_digits(scale):
    changes = [{"name": name, "value": scale * by, "low": None, "high": None} for name, by in (("a", 1), ("b", 0.97))]
    drawn = charts.to_svg(charts.history(
        rows(*(one | {"started_at": f"2026-11-0{day}T10:00:00+00:00", "regressed": False}
               for day, one in enumerate(changes, 1)))
    ))  # fmt: skip
    ticks = [text for text in texts(drawn) if re.fullmatch(r"[-−]?[\d,.]+[kMGmµ]?", text)]
    assert len(ticks) > 2
    assert all(len(re.sub(r"\D", "", text).lstrip("0")) <= 4 for text in ticks), ticks
    assert any("Nov" in text for text in texts(drawn))


def test_long_names_are_cut_where_they_are_the_same():
    names = [f"./checkpoints/a-long-name-of-an-experiment/step-{step}" for step in (1000, 2000)]
    shown = texts(charts.to_svg(charts.dimension_bars(rows(*({"name": name, "value": 0.5} for name in names)))))
    for step in (1000, 2000):
        assert any("…" in text and text.endswith(f"step-{step}") for text in shown), shown


def test_a_scorecard_draws_chance_and_the_best_and_says_where_there_is_no_scale():
    shown = texts(charts.to_svg(DRAWN["scorecard"]("light", "en")))
    assert {"Accuracy", "0.7 ↑", "worst", "best", "no fixed ends", "better than chance"} <= set(shown)
    spec = charts.scorecard(CARD.assign(title=list("abc"), word=None)).to_dict()
    drawn = {row["title"]: row["place_chance"] for data in spec["datasets"].values() for row in data}
    assert (drawn["a"], drawn["b"]) == (0.5, 0.25)


def test_only_what_no_other_beats_is_on_the_pareto_front():
    assert charts.pareto_front(POINTS, JOULES, SHARE).tolist() == [True, True, False]
    tied = POINTS.assign(x=1.0, y=0.5)
    assert charts.pareto_front(tied, JOULES, SHARE).tolist() == [True, True, True]
    assert charts.pareto_front(POINTS.assign(x=None), JOULES, SHARE).tolist() == [False] * 3


def test_a_missing_dimension_leaves_a_gap_in_a_radar():
    whole = pd.DataFrame({"name": ["m"] * 4, "suite": list("abcd"), "scaled": [0.5] * 4})
    full = charts.radar(whole, list("abcd")).to_dict()
    broken = charts.radar(whole.assign(scaled=[0.5, None, 0.5, 0.5]), list("abcd")).to_dict()

    def pieces(spec):
        return {row["piece"] for data in spec["datasets"].values() for row in data if "piece" in row}

    assert (len(pieces(full)), len(pieces(broken))) == (4, 2)


def test_each_checkpoint_of_a_radar_has_a_colour_however_long_its_name_is():
    names = ["smollm2-135m · float32 · 5dc69d", "smollm2-135m · float32 · c6c2e3"]
    frame = pd.DataFrame({"name": names * 3, "suite": list("aabbcc"), "scaled": [0.5] * 6})
    spec = charts.radar(frame, list("abc")).to_dict()
    points = [row["name"] for data in spec["datasets"].values() for row in data if "shown" in row]
    colours = [layer["encoding"]["color"] for layer in spec["layer"] if "color" in layer["encoding"]]
    (coloured,) = {tuple(one["scale"]["domain"]) for one in colours}
    assert set(points) == set(coloured)


def test_bars_say_what_guessing_gives():
    chance = SCORES.assign(chance=0.25)
    assert "acc (share) ↑ · dashed: chance 0.2500" in texts(charts.to_svg(charts.dimension_bars(chance)))
    unknown = texts(charts.to_svg(charts.dimension_bars(SCORES.assign(chance=None))))
    assert not any("chance" in text for text in unknown)


def test_a_history_joins_only_what_may_be_joined():
    told = {"regressed": False, "low": 0.3, "high": 0.6, "value": 0.5}
    days = {1: 0, 2: 0, 3: 1, 4: 1}
    frame = rows(
        *({**told, "line": line, "started_at": f"2026-11-0{day}T10:00:00+00:00"} for day, line in days.items())
    )
    drawn = charts.to_svg(charts.history(frame))
    assert drawn.count('aria-roledescription="line mark"') == 2


def test_names_of_points_at_one_place_stand_above_each_other():
    near = POINTS.assign(x=1.0, y=[0.5, 0.5, 0.501], y_low=0.0, y_high=1.0)
    drawn = charts.tradeoff(near, JOULES, SHARE).to_dict()
    places = sorted(row["label_at"] for data in drawn["datasets"].values() for row in data if "label_at" in row)
    assert len(places) == len(near)
    assert all(above - below > 0.03 for below, above in itertools.pairwise(places))


def test_a_radar_holds_four():
    many = pd.DataFrame({"name": list("abcde"), "suite": ["x"] * 5, "scaled": [0.5] * 5})
    with pytest.raises(ValueError, match="holds 4"):
        charts.radar(many, ["x"])


def test_mean_confidence_of_a_bin_is_accuracy_and_overconfidence_together():
    spec = charts.reliability(BINS).to_dict()
    (confidence,) = [row["confidence"] for data in spec["datasets"].values() for row in data if "n" in row]
    assert confidence == pytest.approx(0.55)


def test_energy_by_phase_splits_off_what_idling_takes():
    energy = rows(
        *({"suite": "energy", "task": "load", "metric": name, "value": value, "unit": "J"}
          for name, value in (("energy_joules", 10.0), ("net_energy_joules", 4.0))),
        {"suite": "energy", "task": "run", "metric": "energy_joules", "value": 99.0, "unit": "J"},
    )  # fmt: skip
    spec = charts.energy_by_phase(energy).to_dict()
    drawn = {(row["phase"], row["part"]): row["joules"] for data in spec["datasets"].values() for row in data}
    assert drawn == {("load", "above idle"): 4.0, ("load", "idle power x time"): 6.0}


def test_charts_speak_chinese():
    assert any("噪声增强时的分数" in text for text in texts(charts.to_svg(DRAWN["severity"]("light", "zh"))))
