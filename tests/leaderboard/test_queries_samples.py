"""Single samples, held against the same tables read whole with pandas."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import RecordError
from harness.core.metrics import PerUnit
from harness.core.requests import Loglikelihood, Response
from harness.core.scores import Score
from harness.metrics.standard import BITS_PER_BYTE
from harness.record import load_record
from harness.record.tables import response_row
from leaderboard.data.samples import SampleQuery, facets, sample, samples_page
from leaderboard.export.samples import samples_by_task
from tests.decision.runs import ACC, scores_of, sealed
from tests.store.records import make_record

BIRDS = {"suite": "accuracy", "task": "birds", "metric": "acc"}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    # Every character that DuckDB would read as a pattern or a quote.
    return make_record(tmp_path_factory.mktemp("it's [a] *?"), n=60, text="Which BIRD sings? <b>%_'")


@pytest.fixture(scope="module")
def whole(record):
    scores = record.scores
    return scores[(scores["task"] == "birds") & (scores["metric"] == "acc")]


def test_facets_list_tasks_metrics_and_groups_in_the_order_of_the_run(record):
    found = facets(record)
    assert found["task"].tolist() == ["birds", "fish", "noise"]
    assert found["count"].tolist() == [60] * 3
    assert found["groups"].tolist() == [["habitat=air", "habitat=water"]] * 3


def test_pages_hold_every_sample_once_in_the_order_of_the_record(record, whole):
    pages = [samples_page(record, SampleQuery(**BIRDS), page, 25) for page in range(3)]
    assert [len(page.frame) for page in pages] == [25, 25, 10]
    assert pd.concat([page.frame for page in pages])["sample_id"].tolist() == whole["sample_id"].tolist()
    assert {page.total for page in pages} == {60}
    beyond = samples_page(record, SampleQuery(**BIRDS), 9, 25)
    assert (len(beyond.frame), beyond.total) == (0, 60)


@pytest.mark.parametrize(("outcome", "value"), [("right", 1.0), ("wrong", 0.0)])
def test_right_and_wrong(record, whole, outcome, value):
    found = samples_page(record, SampleQuery(**BIRDS, outcome=outcome), 0, 100).frame
    assert found["sample_id"].tolist() == whole[whole["value"] == value]["sample_id"].tolist()
    assert not len(samples_page(record, SampleQuery(**BIRDS, outcome="invalid")).frame)


def test_by_group(record, whole):
    found = samples_page(record, SampleQuery(**BIRDS, group="habitat=water"), 0, 100).frame
    expected = [dict(groups)["habitat"] == "water" for groups in whole["groups"]]
    assert found["sample_id"].tolist() == whole[expected]["sample_id"].tolist()


def test_a_text_is_found_whatever_its_case_and_its_signs_are_no_patterns(record):
    assert samples_page(record, SampleQuery(**BIRDS, text="bird SINGS? <B>%_'")).total == 60
    assert samples_page(record, SampleQuery(**BIRDS, text="birds s17:")).total == 1
    assert samples_page(record, SampleQuery(**BIRDS, text="%")).total == 60
    assert samples_page(record, SampleQuery(**BIRDS, text="b_rd")).total == 0


def test_confidence_is_the_share_of_the_likeliest_choice(record):
    asked = record.samples
    chosen = asked[(asked["task"] == "birds") & (asked["sample_id"] == "s3")]["loglikelihood"].to_numpy()
    share = np.exp(chosen.max()) / np.exp(chosen).sum()
    found = samples_page(record, SampleQuery(**BIRDS), 0, 100).frame.set_index("sample_id")
    assert found["confidence"]["s3"] == pytest.approx(share)
    assert samples_page(record, SampleQuery(**BIRDS, confidence_low=float(share) + 0.01)).total == 0
    assert samples_page(record, SampleQuery(**BIRDS, confidence_high=float(share) + 0.01)).total == 60


def test_one_sample_has_its_requests_and_scores_whole(record):
    found = sample(record, "accuracy", "birds", "s3")
    assert found.requests["continuation"].tolist() == [" the lark", " the carp"]
    assert found.requests["context"][0] == "birds s3: Which BIRD sings? <b>%_'"
    assert found.requests["share"].sum() == pytest.approx(1)
    assert found.scores["metric"].tolist() == ["acc"]
    assert sample(record, "accuracy", "birds", "none").requests.empty


def test_what_is_better_lower_is_right_at_zero_and_bits_are_a_byte(tmp_path):
    slips = replace(ACC, name="slips", direction="lower")
    wer = PerUnit(name="wer", unit="share", direction="lower", source="-", transform="plain", lowest=0.0)
    scores = [replace(one, metric="slips") for one in scores_of([0.0, 1.0])]
    scores += [Score(sample_id="0", metric="bits_per_byte", value=48.4, weight=37.0)]
    scores += [Score(sample_id=str(errors), metric="wer", value=errors, weight=4.0) for errors in (0, 1, 4)]
    record = sealed(tmp_path, "a", scores, metrics=[slips, BITS_PER_BYTE, wer], responses=[asked("0"), asked("1")])
    quiz = {"suite": "quiz", "task": "foxes"}

    def found(metric, outcome=None):
        return samples_page(record, SampleQuery(**quiz, metric=metric, outcome=outcome)).frame

    assert found("slips", "right")["sample_id"].tolist() == ["0"]
    assert found("slips", "wrong")["sample_id"].tolist() == ["1"]
    assert found("bits_per_byte")["value"].tolist() == pytest.approx([48.4 / 37 / math.log(2)])
    assert found("wer")["value"].tolist() == [0.0, 0.25, 1.0]
    outcomes = {one: found("wer", one)["sample_id"].tolist() for one in ("right", "wrong", "partly")}
    assert outcomes == {"right": ["0"], "wrong": ["4"], "partly": ["1"]}
    shown = sample(record, "quiz", "foxes", "0").scores.set_index("metric")["value"]
    assert shown["bits_per_byte"] == pytest.approx(1.8872, abs=1e-4)
    (told,) = samples_by_task(record, [])
    by_metric = {one["metric"]: one for made in told.pieces[0] for one in made["scores"] if made["id"] == "0"}
    assert by_metric["slips"]["outcome"] == ["right"]
    assert by_metric["bits_per_byte"]["value"] == pytest.approx(1.8872, abs=1e-4)


def asked(sample_id):
    request = Loglikelihood(context="Which?", continuation=sample_id)
    answer = Response(request_id=request.id, loglikelihood=-1.0, is_greedy=False, token_ids=(1,), token_count=1)
    return response_row("quiz", "foxes", sample_id, 0, request, answer)


def test_a_damaged_table_is_one_clear_error(tmp_path):
    record = make_record(tmp_path, n=4)
    (record.folder / "scores.parquet").write_bytes(b"nothing")
    with pytest.raises(RecordError, match="can't be read"):
        samples_page(load_record(record.folder), SampleQuery(**BIRDS))
