"""What was expected and what came, as texts, on the page of samples."""

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from harness.store import Store, index_folder, locate
from leaderboard.data.samples import SampleQuery, choices_of, page_of, sample, samples_page
from tests.store.records import make_record

BIRDS = {"suite": "accuracy", "task": "birds", "metric": "acc"}
CHOICES = ("the lark", "the carp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("samples page")


@pytest.fixture(scope="module")
def record(folder):
    made = make_record(folder, n=60)
    with Store(locate(None, folder)) as store:
        index_folder(store, folder)
    return made


def labels(record, column):
    """The labels of the task's samples in words, by the record itself."""
    scores = record.scores
    return [CHOICES[int(label)] for label in scores.loc[scores["task"] == "birds", column]]


def test_a_list_says_the_choice_and_not_its_number(record):
    found = samples_page(record, SampleQuery(**BIRDS), 0, 100).frame
    assert found["gold"].tolist() == labels(record, "gold")
    assert found["predicted"].tolist() == labels(record, "predicted")


def test_without_a_task_all_are_searched_each_by_its_first_metric(record):
    whole = samples_page(record, SampleQuery(), 0, 500)
    assert (whole.total, sorted(set(whole.frame["task"]))) == (180, ["birds", "fish", "noise"])
    found = samples_page(record, SampleQuery(text="s17:"), 0, 100).frame
    assert found[["task", "sample_id"]].values.tolist() == [[task, "s17"] for task in ("birds", "fish", "noise")]
    assert samples_page(record, SampleQuery(text="FISH s3:")).frame["task"].tolist() == ["fish"]
    wrong = samples_page(record, SampleQuery(outcome="wrong"), 0, 500).total
    assert wrong == (record.scores["value"] == 0).sum()


def test_the_page_that_a_sample_is_on(record):
    shown = samples_page(record, SampleQuery(**BIRDS), 2, 25).frame["sample_id"]
    assert page_of(record, SampleQuery(**BIRDS), shown.iloc[3], 25) == 2
    assert page_of(record, SampleQuery(**BIRDS), "nobody", 25) is None


def test_gold_and_prediction_are_marked_among_the_choices_by_number_or_by_text(record):
    requests = sample(record, "accuracy", "birds", "s3").requests
    by_number = choices_of(requests, "1", "0")
    assert by_number["is_gold"].tolist() == [False, True]
    assert by_number["is_predicted"].tolist() == [True, False]
    by_text = choices_of(requests, "the lark", None)
    assert (by_text["is_gold"].tolist(), by_text["is_predicted"].tolist()) == ([True, False], [False, False])
    assert choices_of(requests.assign(loglikelihood=pd.NA), "1", "0").empty


def _page():
    from leaderboard.session import choose_language, open_session
    from leaderboard.views import samples

    samples.page(open_session(choose_language()))


def opened(monkeypatch, folder, **query):
    monkeypatch.setenv("HARNESS_RECORDS", str(folder))
    app = AppTest.from_function(_page, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("language", "both", "gold", "predicted"),
    [
        ("en", "✓ reference answer, chosen", "✓ reference answer", "✗ chosen"),
        ("zh", "✓ 参考答案，即模型所选", "✓ 参考答案", "✗ 模型所选"),
    ],
)
def test_a_sample_says_what_was_expected_and_what_came(monkeypatch, folder, record, language, both, gold, predicted):
    scores = record.scores
    mine = scores[scores["task"] == "birds"].set_index("sample_id")
    for right in (1.0, 0.0):
        name = mine.index[mine["value"] == right][0]
        app = opened(monkeypatch, folder, lang=language, task="accuracy/birds", sample=name)
        expected, came = (CHOICES[int(mine.loc[name, label])] for label in ("gold", "predicted"))
        assert [one.value for one in app.code[:2]] == [expected, came]
        choices = next(one.value for one in app.dataframe if " " in one.value)
        marks = dict(zip((str(text).strip() for text in choices.iloc[:, 1]), choices[" "], strict=True))
        assert {text: mark for text, mark in marks.items() if mark} == (
            {expected: both} if right else {expected: gold, came: predicted}
        )


def test_a_link_to_a_sample_opens_the_page_that_it_is_on(monkeypatch, folder, record):
    last = record.scores.query("task == 'birds'")["sample_id"].iloc[-1]
    app = opened(monkeypatch, folder, task="accuracy/birds", sample=last)
    assert app.selectbox(key="sample").value == last
    assert app.query_params["page"] == "2"
    assert last in app.dataframe[0].value.iloc[:, 0].tolist()


def test_a_search_over_all_tasks_names_the_task_of_what_it_finds(monkeypatch, folder, record):
    app = opened(monkeypatch, folder, q="s17:")
    assert app.dataframe[0].value["task"].tolist() == ["birds", "fish", "noise"]
    app.selectbox(key="sample").select("accuracy/fish/s17").run()
    assert not app.exception
    assert app.code[2].value.startswith("fish s17:")
