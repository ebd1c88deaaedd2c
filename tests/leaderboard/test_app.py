"""What the pages do with what a reader chooses: the app itself, without a browser."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.core.text.reasons import Reason
from harness.decision.comparable import comparable
from harness.store import Store, index_folder, locate
from leaderboard.words import escaped
from tests.store.records import SUITES, make_record

APP = Path(__file__).parents[2] / "leaderboard" / "app.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`alpha` is better than `delta`, and that than `beta`; `gamma` is the best, and has accuracy alone."""
    root = tmp_path_factory.mktemp("app")
    for name, right, suites in (
        ("alpha", 0.85, SUITES),
        ("beta", 0.55, SUITES),
        ("gamma", 0.98, SUITES[:1]),
        ("delta", 0.7, SUITES),
    ):
        size = 10**6 if name == "alpha" else 10**9
        made = {"model": f"./{name}", "fingerprint": name[0] * 64, "suites": suites, "parameter_count": size}
        make_record(root, right=right, n=80, **made)
    with Store(locate(None, root)) as store:
        index_folder(store, root)
    return root


@pytest.fixture
def opened(folder, monkeypatch):
    """Open the leaderboard at an address."""
    monkeypatch.setenv("HARNESS_RECORDS", str(folder))
    monkeypatch.delenv("HARNESS_STORE", raising=False)

    def open_it(**query):
        app = AppTest.from_file(APP, default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        return app

    return open_it


def shown(app):
    return app.dataframe[0].value.set_index("checkpoint")


def test_a_missing_dimension_is_blank_and_never_0(opened):
    table = shown(opened())
    assert list(table.index) == ["gamma", "alpha", "delta", "beta"]
    assert math.isnan(table["robustness"]["gamma"])
    # Of two choices guessing gets a half right, which counts as 0.
    assert table["score"]["gamma"] == pytest.approx(2 * table["accuracy"]["gamma"] - 1)


def test_fewer_than_four_runs_have_no_total_and_the_page_says_so(opened):
    app = opened(kind="causal", q="a", max_size="2")
    assert next(iter(shown(app).columns)) == "accuracy"
    assert any("need 4 runs" in one.value for one in app.caption)


def test_weights_move_the_score_and_stand_in_the_address(opened):
    app = opened()
    assert "50% accuracy" in app.text[0].value
    app.slider(key="weight of robustness").set_value(0.0).run()
    assert app.query_params["weights"] == "robustness:0"
    assert app.text[0].value.startswith("100% accuracy")
    table = shown(app)
    assert table["score"].tolist() == pytest.approx((2 * table["accuracy"] - 1).tolist())


def test_an_address_brings_its_weights_and_one_that_makes_no_sense_is_as_none(opened):
    assert "75% accuracy" in opened(weights="accuracy:3").text[0].value
    assert "50% accuracy" in opened(weights="accuracy:much").text[0].value


def test_filters_narrow_and_stand_in_the_address(opened):
    app = opened()
    app.text_input(key="q").set_value("BETA").run()
    assert list(shown(app).index) == ["beta"]
    assert app.query_params["q"] == "BETA"
    assert list(shown(opened(max_size="2")).index) == ["alpha"]
    assert [one.value for one in opened(q="nothing").info] == ["No checkpoint passes the filters."]


def test_columns_and_order_are_chosen_in_the_address(opened):
    table = shown(opened(columns="accuracy,date", sort="accuracy"))
    assert list(table.columns) == ["rank", "accuracy", "date"]
    assert table["accuracy"].is_monotonic_decreasing
    assert list(shown(opened(sort="checkpoint")).index) == ["alpha", "beta", "delta", "gamma"]


def test_an_empty_folder_says_the_command_that_fills_it(opened, monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_RECORDS", str(tmp_path))
    app = opened()
    assert "harness index" in app.code[0].value
    with Store(locate(None, tmp_path)):
        pass
    assert "harness index" in opened().code[0].value


def test_a_store_that_cant_be_reached_is_said_without_its_password(opened, monkeypatch):
    monkeypatch.setenv("HARNESS_STORE", "postgresql://me:hidden1234@127.0.0.1:1/runs")
    app = opened()
    said = " ".join(one.value for one in app.code)
    assert "127.0.0.1:1" in said
    assert "hidden1234" not in said


def test_the_reader_chooses_the_language(opened):
    app = opened(lang="zh")
    assert app.title[0].value == "排行榜"
    app.sidebar.selectbox[0].set_value("en").run()
    assert app.title[0].value == "Leaderboard"


def test_a_page_says_why_a_score_is_absent_in_its_own_language(monkeypatch, tmp_path):
    told = Reason("too few samples: {groups}", groups="30")
    record = make_record(tmp_path, absent=told)
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
    monkeypatch.setenv("HARNESS_RECORDS", str(tmp_path))

    def reasons(language, column):
        app = AppTest.from_function(_page, kwargs={"name": "run"}, default_timeout=60)
        app.query_params["run"], app.query_params["lang"] = record.run_id, language
        app.run()
        tables = [one.value for one in app.dataframe]
        return {text for table in tables if column in table for text in table[column].dropna()}

    headline = "{task} 没有 acc：样本过少：30"
    assert reasons("zh", "缺失原因") == {
        "样本过少：30",
        *(headline.format(task=task) for task in ("birds", "噪声")),
    }
    assert reasons("en", "why absent") == {told, f"no acc of birds: {told}", f"no acc of noise: {told}"}


def test_a_run_is_set_apart_for_reasons_in_the_readers_language(monkeypatch, tmp_path):
    def otherwise(spec):
        first, *others = spec.tasks
        first = replace(first, sample_count=39, data_sha256="e" * 64)
        return replace(spec, seed=1, apply_chat_template=True, tasks=(first, *others))

    runs = [make_record(tmp_path, fingerprint=place * 64) for place in "abc"]
    runs.append(make_record(tmp_path, fingerprint="d" * 64, change=otherwise))
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
    monkeypatch.setenv("HARNESS_RECORDS", str(tmp_path))

    def told(language):
        app = AppTest.from_function(_page, kwargs={"name": "ranks"}, default_timeout=60)
        app.query_params["lang"] = language
        app.run()
        return [one.value for one in app.markdown]

    english = "; ".join(comparable(runs[0], runs[-1]))
    chinese = "随机种子：前者 0，后者 1；对话模板：前者 不使用，后者 使用；accuracy/birds：样本数分别为 40 与 39、数据"
    for language, reason in (("en", english), ("zh", chinese)):
        assert [one for one in told(language) if one.endswith(f": {escaped(reason, 400)}")]


def test_the_page_of_samples_says_why_an_answer_is_invalid_in_its_own_language(monkeypatch, tmp_path):
    told = Reason("the continuation of {count} tokens is longer than the model's window", count=9)
    record = make_record(tmp_path, invalid=told)
    with Store(locate(None, tmp_path)) as store:
        index_folder(store, tmp_path)
    monkeypatch.setenv("HARNESS_RECORDS", str(tmp_path))

    def said(language, column):
        app = AppTest.from_function(_page, kwargs={"name": "samples"}, default_timeout=60)
        app.query_params["run"], app.query_params["lang"] = record.run_id, language
        app.query_params["task"] = "accuracy/birds"
        app.run()
        tables = [one.value for one in app.dataframe]
        of_scores = [table[column].dropna().tolist() for table in tables if column in table]
        return [*of_scores, *(one.value for one in app.warning)]

    chinese = "9 个词元的续写超出模型窗口"
    assert said("zh", "无效") == [[chinese], [chinese], chinese, chinese]
    assert [one if isinstance(one, list) else one.replace("\\", "") for one in said("en", "invalid")] == [
        [told],
        [told],
        told,
        told,
    ]


def test_where_a_sign_in_is_set_up_nothing_is_shown_before_it(folder, monkeypatch):
    app = AppTest.from_file(APP, default_timeout=60)
    app.secrets["auth"] = {"client_id": "x", "redirect_uri": "http://127.0.0.1/oauth2callback"}
    monkeypatch.setenv("HARNESS_RECORDS", str(folder))
    app.run()
    assert [one.label for one in app.button] == ["Sign in"]
    assert not app.dataframe
    assert not app.exception


def _page(name):
    """A page of the app by itself."""
    import importlib

    from leaderboard.session import choose_language, open_session

    importlib.import_module(f"leaderboard.views.{name}").page(open_session(choose_language()))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("run", {"run": "unknown"}),
        ("samples", {"run": "unknown"}),
        ("history", {"run": "unknown"}),
        ("compare", {"second": "unknown"}),
        ("compare", {"first": "unknown"}),
        ("tradeoffs", {"runs": "unknown"}),
        ("tradeoffs", {"y": "unknown"}),
        ("run", {"view": "unknown"}),
        ("samples", {"task": "unknown"}),
        ("samples", {"metric": "unknown"}),
        ("samples", {"group": "unknown"}),
        ("compare", {"suite": "unknown"}),
        ("ranks", {"like": "unknown"}),
        ("ranks", {"kind": "unknown"}),
    ],
)
def test_what_an_address_names_and_is_not_here_is_said_and_nothing_shown_in_its_place(opened, name, query):
    app = AppTest.from_function(_page, kwargs={"name": name}, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    ((key, value),) = query.items()
    (fault,) = app.exception
    assert fault.message.startswith(f"unknown: no such {key} here")
    assert app.query_params[key] == value
    assert key not in ("run", "runs") or not app.dataframe


def test_who_then_chooses_sees_what_was_chosen(opened):
    app = AppTest.from_function(_page, kwargs={"name": "run"}, default_timeout=60)
    app.query_params["run"] = "unknown"
    app.run()
    box = app.selectbox(key="run")
    assert box.value is None
    assert not app.dataframe
    box.select_index(1).run()
    assert not app.exception
    chosen = app.selectbox(key="run").value
    assert app.query_params["run"] == chosen
    assert chosen in app.caption[0].value
    assert len(app.run().exception) == 0


def test_weights_of_what_nobody_has_are_said(opened):
    app = opened(weights="nonsense:3")
    assert "nonsense" in app.warning[0].value
    assert not opened(weights="robustness:3", q="gamma").warning


def test_a_link_to_other_weights_turns_the_sliders(opened):
    app = opened(weights="robustness:3")
    app.query_params["weights"] = "robustness:5"
    app.run()
    assert app.slider(key="weight of robustness").value == 5.0
    del app.query_params["weights"]
    app.run()
    assert app.slider(key="weight of robustness").value == 1.0


@pytest.mark.parametrize("query", [{"max_size": "inf"}, {"max_size": "nan"}, {"weights": "robustness:nan"}])
def test_what_is_no_number_in_an_address_is_left_aside(opened, query):
    app = opened(**query)
    assert len(shown(app)) == len(shown(opened()))
    assert not any(key in app.query_params for key in query)


def test_a_chart_a_dimension_follows_the_table(opened):
    app = opened()
    assert len(shown(app)) == 4
    assert not app.get("vega_lite_chart")
    app.run()
    assert len(app.get("vega_lite_chart")) == len(SUITES)
