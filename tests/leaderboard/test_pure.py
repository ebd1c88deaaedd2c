"""What the pages are made of, without a page."""

import csv
import io
import json
import math
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.core.text.display import number
from harness.core.text.translation import translator
from harness.decision.costs import Cost
from harness.store import Store, index_folder, locate
from leaderboard.data.board import Filters, board, filtered
from leaderboard.data.changes import cost_rows
from leaderboard.data.history import by_step, history_of
from leaderboard.data.points import points, scaled_axis
from leaderboard.data.ranking import Ranking, rank
from leaderboard.downloads import to_csv, to_json
from leaderboard.marks import marked
from leaderboard.titles import titled
from leaderboard.words import board_words, escaped
from tests.store.records import make_record

ROOT = Path(__file__).parents[2]


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\x00", exclude_categories=["Cs"])), min_size=1))
def test_no_cell_of_a_csv_is_a_formula_and_texts_survive(cells):
    table = list(csv.reader(io.StringIO(to_csv(pd.DataFrame({"=name": cells, "n": -1.5})).decode("utf-8-sig"))))
    for cell, (written, count) in zip(cells, table[1:], strict=True):
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert written.removeprefix("'") == cell.removeprefix("'")
        assert count == "-1.5"
    assert table[0] == ["'=name", "n"]


def test_what_is_absent_is_null_in_json():
    told = json.loads(to_json(pd.DataFrame({"a": [1.5, math.nan], "b": [["x"], None]})))
    assert told == [{"a": 1.5, "b": ["x"]}, {"a": None, "b": None}]


def test_differences_are_marked_word_by_word():
    assert marked("the cat sat", "the dog sat") == ("the ⟦cat⟧ sat", "the ⟦dog⟧ sat")
    assert marked("模型公平", "模型不公平") == ("模型公平", "模型⟦不⟧公平")


@given(st.text(), st.text())
def test_marks_lose_nothing(first, second):
    clean = [re.sub("[⟦⟧]", "", text) for text in (first, second)]
    assert [re.sub("[⟦⟧]", "", text) for text in marked(*clean)] == clean


def test_markdown_is_taken_literally():
    assert escaped("![x](y) :red[z] <b>").replace("\u2060", "") == r"\!\[x\]\(y\) \:red\[z\] \<b\>"


@pytest.mark.parametrize(
    "text",
    [
        "see http://evil.example/x?y=z",
        "HTTPS://EVIL.EXAMPLE",
        "见https://evil.example。",
        "“http://evil.example”",
        "www.evil.example and WWW.evil.example",
        "<http://evil.example>",
        "[here](http://evil.example)",
        "write to me@evil.example",
        "mailto:me@evil.example xmpp:me@evil.example",
        ":material/delete: :smile: :streamlit:",
        "http:\\//evil.example",
        "http:&#47;/evil.example",
    ],
)
def test_an_address_in_a_text_is_no_link(text):
    """By the three patterns of GitHub's Markdown that make links of bare addresses, once escapes are undone, and by
    those of Streamlit's icons and emojis."""
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", escaped(text))
    assert read.replace("\u2060", "") == text
    for pattern in (
        r"(?i)(https?://|www(?=\.))([-.\w]+)([^ \t\r\n]*)",
        r"[-.\w+]+@[-\w]+(\.[-\w]+)+",
        r":material/\w+:|:\w+:",
    ):
        assert re.search(pattern, read, re.ASCII) is None
    assert "<" not in escaped(text).replace(r"\<", "")


def test_every_text_of_the_catalogues_keeps_its_placeholders():
    for path in (ROOT / "leaderboard" / "locale" / "zh.yaml", ROOT / "harness" / "charts" / "locale" / "zh.yaml"):
        for english, chinese in yaml.safe_load(path.read_text()).items():
            assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), english


def test_every_text_of_the_pages_is_in_chinese():
    known = translator(ROOT / "leaderboard", "zh")
    said = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)+)"')
    texts = {text for path in (ROOT / "leaderboard").rglob("*.py") for text in said.findall(path.read_text())}
    assert len(texts) > 80
    assert [text for text in sorted(texts) if known(text) == text] == []


def test_the_language_is_the_readers_unless_another_is_asked_for():
    assert [
        board_words(asked, locale).code
        for asked, locale in ((None, "zh-CN"), ("en", "zh-CN"), ("xx", "de"), (None, None))
    ] == [
        "zh",
        "en",
        "en",
        "en",
    ]


KNOWN = pd.DataFrame(
    {
        "run_id": ["a", "b", "c"],
        "model": ["Alpha", "beta", "gamma"],
        "status": ["verified", "verified", "failed"],
        "kind": ["causal", "masked", "causal"],
        "dtype": ["float32"] * 3,
        "languages": [["en"], ["en", "zh"], []],
        "parameter_count": [1e6, 2e9, None],
        "started_at": ["2026-11-01T10:00:00+00:00"] * 3,
        "verdict": ["PASS", None, None],
    }
)


def test_filters_narrow():
    def passing(**filters):
        return "".join(filtered(KNOWN, Filters(**filters))["run_id"])

    assert passing() == "ab"
    assert passing(verified_only=False) == "abc"
    assert passing(kinds=["masked"]) == "b"
    assert passing(languages=["zh"]) == "b"
    assert passing(largest=10) == "a"
    assert passing(text="ALPHA") == "a"


def test_a_missing_dimension_is_blank_on_the_board():
    frame = pd.DataFrame(
        {"run_id": ["b", "a"], "rank": [1, 2], "score": [0.9, 0.8], "low": [0.8, 0.7], "high": [1.0, 0.9]}
    )
    scores = pd.DataFrame({"run_id": ["a"], "suite": ["accuracy"], "value": [0.8], "low": [0.7], "high": [0.9]})
    energy = pd.DataFrame({"run_id": ["b"], "value": [12.0], "basis": ["estimated"]})
    made = board(KNOWN, Ranking(frame=frame, formula="", notes=()), scores, energy, {"a": "A", "b": "B"})
    assert made["checkpoint"].tolist() == ["B", "A"]
    assert math.isnan(made["accuracy"][0])
    assert made["accuracy"][1] == 0.8
    assert made["energy_joules"][0] == 12.0
    assert math.isnan(made["energy_joules"][1])


def test_history_marks_what_got_worse_beyond_doubt(tmp_path):
    for day, right in enumerate((0.9, 0.9, 0.2), 1):
        started_at = f"2026-11-0{day}T10:00:00+00:00"
        make_record(tmp_path, right=right, answers=day, n=200, fingerprint=str(day) * 64, started_at=started_at)
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
        any_run = next(tmp_path.glob("*/seal.json")).parent.name
        rows = history_of(store, any_run)
    accuracy = rows[rows["suite"] == "accuracy"]
    assert accuracy["started_at"].str[8:10].tolist() == ["01", "02", "03"]
    assert accuracy["regressed"].tolist() == [False, False, True]
    assert accuracy["p_value"].isna().tolist() == [True, False, False]


def test_a_line_of_a_history_joins_only_runs_that_compare(tmp_path):
    for day, seed in enumerate((0, 1, 0), 1):
        started_at = f"2026-11-0{day}T10:00:00+00:00"
        make_record(tmp_path, seed=seed, fingerprint=str(day) * 64, started_at=started_at)
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
        rows = history_of(store, next(tmp_path.glob("*/seal.json")).parent.name)
    first, other, again = rows.loc[rows["suite"] == "accuracy", "line"]
    assert first == again != other


def test_costs_are_said_in_megabytes_and_millions():
    costs = [
        Cost(name="size_bytes", unit="B", first=98_362_432, second=538_090_408),
        Cost(name="parameter_count", unit="", first=134_515_008, second=134_515_008),
        Cost(name="net_energy_joules", unit="J", first=10.0, second=None),
    ]
    told = [(one.name, one.unit, number(one.first), number(one.second), number(one.ratio)) for one in cost_rows(costs)]
    assert told == [
        ("size of the weights", "MB", "98.36", "538.1", "5.47"),
        ("parameters", "millions", "134.5", "134.5", "1"),
        ("net_energy_joules", "J", "10", "", ""),
    ]


def test_columns_and_words_of_ours_are_in_the_readers_language():
    frame = pd.DataFrame(
        {"sample_id": ["7"], "metric": ["acc"], "started_at": ["2026-11-01T10:00:00+00:00"], "regressed": [True]}
    )
    assert list(titled(frame, board_words("en", None))) == ["sample", "metric", "date (UTC)", "regression"]
    chinese = titled(frame, board_words("zh", None))
    assert chinese.to_dict("records") == [
        {"样本": "7", "指标": "准确率", "日期（UTC）": "2026-11-01 10:00", "退步": "✓"}
    ]
    assert list(frame) == ["sample_id", "metric", "started_at", "regressed"]


def test_history_of_a_training_goes_by_step_and_takes_no_other_training(tmp_path):
    """Made in another order than that of the steps; step 200 twice, and once without saying which."""
    made = {}
    for day, (lineage, step, right) in enumerate(
        [("a", 300, 0.2), ("a", 200, 0.5), ("a", 100, 0.9), ("a", 200, 0.9), ("a", None, 0.9), ("b", 100, 0.9)], 1
    ):
        record = make_record(
            tmp_path,
            model="checkpoint",
            right=right,
            n=100,
            fingerprint=str(day) * 64,
            started_at=f"2026-11-0{day}T10:00:00+00:00",
            change=partial(replace, lineage=lineage, step=step),
        )
        made[record.run_id] = day
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
        runs = {day: run_id for run_id, day in made.items()}
        rows, alone = (history_of(store, runs[day]) for day in (1, 6))
    accuracy = rows[rows["suite"] == "accuracy"]
    assert accuracy["run_id"].map(made).tolist() == [3, 4, 1, 5]
    assert accuracy["step"].tolist()[:3] == [100, 200, 300]
    assert accuracy["previous_run_id"].map(made).tolist()[1:3] == [3, 4]
    assert accuracy["previous_run_id"].isna().tolist() == [True, False, False, True]
    assert accuracy["regressed"].tolist() == [False, False, True, False]
    assert by_step(rows)
    assert alone["run_id"].map(made).unique().tolist() == [6]


def test_bytes_and_bits_of_the_weights_can_be_traded_for_a_score():
    """Of a checkpoint that isn't quantised nobody says the bits: they are its bytes over its parameters."""
    checkpoints = pd.DataFrame(
        {
            "run_id": ["plain", "packed", "served"],
            "size_bytes": [400e6, 150e6, math.nan],
            "parameter_count": [100e6, 100e6, math.nan],
            "bits_per_weight": [math.nan, 8.5, math.nan],
            "peak_memory_bytes": [1e9, 1e9, math.nan],
        }
    )
    scores = pd.DataFrame({"run_id": ["plain", "packed"], "suite": "s", "value": [0.5, 0.4], "low": 0.3, "high": 0.6})
    names = {one: one for one in checkpoints["run_id"]}
    for axis, expected in (("size", [400.0, 150.0]), ("bits", [32.0, 8.5])):
        found = points(axis, "s", checkpoints, scores, pd.DataFrame(columns=["metric"]), names)
        assert found["x"].tolist()[:2] == expected
        assert math.isnan(found["x"].iloc[2])
        assert found["y"].tolist()[:2] == [0.5, 0.4]


def scored(*rows):
    """Rows as of `queries.scores`: run, suite, unit, direction, value, and what guessing gives."""
    columns = ("run_id", "suite", "unit", "direction", "value", "chance")
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(target=math.nan, optimum=math.nan, stderr=0.01, n=100)


RUNS = ("guesses", "knows", "harms", "all")
DIMENSIONS = scored(
    *(
        (run, suite, "share", direction, value, chance)
        for suite, direction, chance, values in (
            ("accuracy", "higher", 0.5, (0.49, 0.75, 0.75, 1.0)),
            ("toxicity", "lower", math.nan, (0.0, 0.4, 0.9, 0.0)),
        )
        for run, value in zip(RUNS, values, strict=True)
    )
)


def test_a_model_that_guesses_earns_nothing_by_harming_nobody():
    found = rank(RUNS, DIMENSIONS, {}, {"accuracy": 1, "toxicity": 1}).frame.set_index("run_id")
    # Half of what lies between guessing and the best, and as much again for every harm that wasn't done.
    expected = {"guesses": 0.0, "knows": (0.5 + 0.5 * 0.6) / 2, "harms": (0.5 + 0.5 * 0.1) / 2, "all": 1.0}
    assert found["score"].to_dict() == pytest.approx(expected)
    assert found["rank"].to_dict() == {"all": 1, "knows": 2, "harms": 3, "guesses": 4}
    alone = rank(RUNS[:2], DIMENSIONS, {}, {"toxicity": 1}).frame.set_index("run_id")["score"]
    assert alone.to_dict() == pytest.approx({"guesses": 1.0, "knows": 0.6})


def test_the_error_of_a_total_is_that_of_its_derivatives():
    def total(accuracy, toxicity):
        moved = DIMENSIONS.assign(value=[0.5, accuracy, 0.75, 1.0, 0.0, toxicity, 0.9, 0.0])
        found = rank(RUNS, moved, {}, {"accuracy": 1, "toxicity": 3}).frame.set_index("run_id")
        return found["score"]["knows"], found["stderr"]["knows"]

    step = 1e-6
    score, stderr = total(0.75, 0.4)
    slopes = [(total(0.75 + step, 0.4)[0] - score) / step, (total(0.75, 0.4 + step)[0] - score) / step]
    assert stderr == pytest.approx(math.hypot(*(0.01 * slope for slope in slopes)), rel=1e-4)


def test_a_total_reaches_as_far_as_the_intervals_of_its_dimensions():
    """None of four right has a standard error of 0, and may yet be half of all."""
    frame = scored(("none", "accuracy", "share", "higher", 0.0, 0.0), ("none", "toxicity", "share", "lower", 0.0, 0.0))
    frame = frame.assign(stderr=0.0, low=[0.0, 0.0], high=[0.49, 0.3])
    only = rank(("none",), frame, {}, {"accuracy": 1}).frame.iloc[0]
    assert (only["score"], only["low"], only["high"]) == (0.0, 0.0, 0.49)
    falls = rank(("none",), frame, {}, {"toxicity": 1}).frame.iloc[0]
    assert (falls["score"], falls["low"], falls["high"]) == pytest.approx((1.0, 0.7, 1.0))


def test_no_total_below_four_runs():
    found = rank(RUNS[:3], DIMENSIONS, {}, {"accuracy": 1, "toxicity": 1})
    assert found.frame["score"].isna().all()
    assert found.frame["rank"].isna().all()
    assert found.frame["run_id"].tolist() == list(RUNS[:3])
    assert found.notes == ["no score of several dimensions below 4 runs that compare: here are 3"]


def test_a_scale_is_fixed_by_no_other_run():
    frame = scored(
        ("guesses", "accuracy", "share", "higher", 0.6, 0.5), ("guesses", "energy", "J/token", "lower", 0.2, math.nan)
    )
    made = scaled_axis(frame, {"guesses": "guesses"}).set_index("suite")["scaled"]
    assert made["accuracy"] == pytest.approx(0.2)
    assert math.isnan(made["energy"])
