"""Where a score is between the worst and the best that it can be, by hand; and the page that shows it."""

import math

import pytest
from streamlit.testing.v1 import AppTest

from harness.core.scores import OVERALL, Estimate, TaskPart
from harness.decision.context import ScoreContext
from harness.decision.keys import Key
from harness.record.metrics import RecordedMetric
from harness.store import Store, index_folder, locate
from leaderboard.data.scorecard import scorecard_rows, worst_of
from tests.store.records import make_record


def headline(suite, value, *tasks, direction="higher", unit="share", target=None, low=None, high=None):
    return Estimate(
        suite=suite,
        task=OVERALL,
        metric="acc",
        value=value,
        low=low,
        high=high,
        n=10,
        unit=unit,
        direction=None if target is not None else direction,
        target=target,
        signature="",
        reason=None if value is not None else "too few samples",
        parts=tuple(TaskPart(task, "acc") for task in tasks),
    )


def ranging(lowest, highest):
    return RecordedMetric(class_name="any:Metric", parameters={"lowest": lowest, "highest": highest})


RECORDED = {
    ("skill", "birds", "acc"): ranging(0, 1),
    ("skill", "fish", "acc"): ranging(0.5, 1),
    ("noise", "drop", "acc"): ranging(None, 1),
    ("text", "bits", "acc"): ranging(0, None),
    ("bias", "share", "acc"): ranging(0, 100),
}


def row(one, **context):
    (found,) = scorecard_rows([one], {Key(one.suite, OVERALL, "acc"): ScoreContext(**context)}, RECORDED).to_dict(
        "records"
    )
    return found


def test_the_worst_of_a_mean_is_the_mean_of_the_worst_and_open_where_that_of_a_part_is():
    assert worst_of(headline("skill", 0.6, "birds", "fish"), RECORDED) == 0.25
    assert worst_of(headline("text", 1.2, "bits", direction="lower", unit="nats"), RECORDED) is None
    assert worst_of(headline("skill", 0.6, "birds", "unknown", unit="nats"), RECORDED) is None


@pytest.mark.parametrize(
    ("one", "context", "places"),
    [
        (headline("skill", 0.5, "birds", low=0.4, high=0.7), {"optimum": 1.0, "chance": 0.25}, (0.5, 0.4, 0.7, 0.25)),
        (headline("noise", 0.2, "drop", direction="lower"), {"optimum": 0.0}, (0.8, None, None, None)),
        # Nobody knows the worst: one who guesses stands for it.
        (
            headline("text", 2.0, "bits", direction="lower", unit="nats"),
            {"optimum": 0.0, "chance": 8.0},
            (0.75, None, None, 0.0),
        ),
        (headline("text", 2.0, "bits", direction="lower", unit="nats"), {"optimum": 0.0}, (None, None, None, None)),
        # Who knows how often words are needs 2.62 bits a byte (Shannon, 1951).
        (
            headline("text", 1.31, "bits", direction="lower", unit="bits/byte"),
            {"optimum": 0.0},
            (0.5, None, None, None),
        ),
        (headline("bias", 60.0, "share", target=50.0), {"optimum": 50.0}, (0.8, None, None, None)),
        # Beyond the best there is nothing to draw.
        (headline("noise", -0.1, "drop", direction="lower"), {"optimum": 0.0}, (1.0, None, None, None)),
    ],
)
def test_a_score_lies_between_the_worst_and_the_best(one, context, places):
    found = row(one, **context)
    for name, expected in zip(("place", "place_low", "place_high", "place_chance"), places, strict=True):
        told = found[name]
        assert (told is None or math.isnan(told)) if expected is None else told == pytest.approx(expected), name


def test_what_has_no_score_or_no_meaning_for_the_model_has_no_line():
    assert scorecard_rows([headline("skill", None, "birds")], {}, RECORDED).empty


def _page():
    from leaderboard.session import choose_language, open_session
    from leaderboard.views import run

    run.page(open_session(choose_language()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("scorecard")
    make_record(root, right=0.3, invalid="the answer is missing")
    with Store(locate(None, root)) as store:
        index_folder(store, root)
    return root


@pytest.mark.parametrize(
    ("language", "heading", "worry"),
    [("en", "What a signer must know", "worse than guessing"), ("zh", "签署前须知", "劣于随机猜测")],
)
def test_a_run_opens_with_its_scorecard_its_worries_and_its_tables_folded(
    folder, monkeypatch, language, heading, worry
):
    monkeypatch.setenv("HARNESS_RECORDS", str(folder))
    app = AppTest.from_function(_page, default_timeout=60)
    app.query_params["lang"] = language
    app.run()
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 1
    said = [one.value for one in app.markdown]
    assert f"**{heading}**" in said
    assert worry in said[said.index(f"**{heading}**") + 1].replace("\\", "")
    folded = [table for one in app.expander for table in one.dataframe]
    assert len(folded) == len(app.dataframe) == 2
    assert not any(one.proto.expanded for one in app.expander)
