"""Chinese: choices that give nothing away, scores as by hand and as lm-evaluation-harness has them, odd files told."""

import io
import json
import math
import sqlite3
import zipfile
from collections import Counter
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from lm_eval.api.task import ConfigurableTask

from harness.core import registry
from harness.core.errors import DataError
from harness.core.process.wheels import Wheel
from harness.core.requests import Response
from harness.core.scores import Estimate
from harness.core.tasks import TaskSettings
from harness.data import fetch
from harness.data.distractors import distractors, place
from harness.data.sets.chinese import SayingSource, StatuteSource
from harness.data.sets.idioms import IdiomSource
from harness.report import Words
from suites.chinese.report import ChineseReport

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)
FOUR = ("idiom_cloze", "idiom_meanings", "xiehouyu")


@cache
def samples_of(name):
    task = registry.task(name)
    return task.samples(fetch(task.data).rows, ALL)


def answers(*nats):
    return [Response(request_id="", loglikelihood=one) for one in nats]


def scored(name, sample, nats):
    return {one.metric: one for one in registry.task(name).score(sample, answers(*nats))}


@pytest.mark.parametrize("name", FOUR)
def test_choices_are_equally_long_and_in_no_order(name):
    samples = samples_of(name)
    assert all(len(set(one.choices)) == 4 and len({len(choice) for choice in one.choices}) == 1 for one in samples)
    places = Counter(one.gold for one in samples)
    assert all(abs(places[at] / len(samples) - 0.25) < 4 * math.sqrt(0.25 * 0.75 / len(samples)) for at in range(4))


@pytest.mark.parametrize("name", FOUR)
def test_no_choice_is_named_in_what_is_read(name):
    """Neither the right one, which would give it away, nor a wrong one, which would be told by that."""
    marks = set("，。；：、！？…—“”《》\n\uff5e释义成语例句歇后")
    for sample in samples_of(name):
        assert not (set(sample.prompt) - marks) & set("".join(sample.choices))


def test_how_common_an_ending_is_says_nothing():
    """Whoever takes the ending that most riddles have is right in one of four."""
    samples = samples_of("xiehouyu")
    common = Counter(one.choices[one.gold] for one in samples)
    hits = []
    for one in samples:
        most = max(common[choice] for choice in one.choices)
        best = [at for at, choice in enumerate(one.choices) if common[choice] == most]
        hits.append((one.gold in best) / len(best))
    assert np.mean(hits) == pytest.approx(0.25, abs=0.015)


def test_what_is_read_is_the_whole_sentence():
    sample = next(one for one in samples_of("idiom_cloze") if one.choices[one.gold] == "气喘吁吁")
    asked = registry.task("idiom_cloze").requests(sample)
    assert sample.prompt == "例句：廖二嫂\uff5e，脸色铁青，奔到他面前来了。"
    assert {one.context for one in asked[:4]} == {"例句："}
    assert asked[sample.gold].continuation == "廖二嫂气喘吁吁，脸色铁青，奔到他面前来了。"
    assert [one.continuation for one in asked[4:]] == list(sample.choices)
    assert sample.fields["groups"] == {"era": "modern"}


def test_eras_are_told_by_the_source():
    eras = {one.choices[one.gold]: one.fields["groups"]["era"] for one in samples_of("idiom_cloze")}
    # Li Dou's Yangzhou and the Book of Zhou; Wu Yuzhang, and a sentence without a source.
    assert [eras[word] for word in ("云情雨意", "权衡轻重")] == ["classical"] * 2
    assert [eras[word] for word in ("灰心丧气", "品头论足")] == ["modern"] * 2


def test_the_right_sentence_costs_its_nats_over_its_own_bytes():
    """The sentence is read with the idiom: its characters, of three bytes each, are what the nats are spread over."""
    sample = next(one for one in samples_of("idiom_cloze") if one.choices[one.gold] == "气喘吁吁")
    nats = [-30.0 if at == sample.gold else -40.0 for at in range(4)] + [-9.0] * 4
    cost = scored("idiom_cloze", sample, nats)["gold_bits_per_byte"]
    assert (cost.value, cost.weight) == (30.0, len("廖二嫂气喘吁吁，脸色铁青，奔到他面前来了。") * 3)


def test_scores_are_as_by_hand():
    """The third is likeliest with the riddle, the first gains most from it, the second is likeliest without."""
    sample = samples_of("xiehouyu")[0]
    read, unread = [-9.0, -8.0, -7.0, -12.0], [-14.0, -6.0, -9.0, -13.0]
    found = scored("xiehouyu", sample, read + unread)
    cost = found.pop("gold_bits_per_byte")
    assert (cost.value, cost.weight) == (-read[sample.gold], len(sample.choices[sample.gold].encode()))
    assert {name: one.predicted for name, one in found.items()} == {
        "acc": sample.choices[2],
        "acc_lifted": sample.choices[0],
        "acc_unread": sample.choices[1],
    }
    assert {name: one.value for name, one in found.items()} == {
        name: float(at == sample.gold) for name, at in {"acc": 2, "acc_lifted": 0, "acc_unread": 1}.items()
    }
    assert not any(one.tie for one in found.values())


def test_lifting_is_lm_evals_mutual_information():
    """Their `acc_mutual_info` of the same log-likelihoods."""
    sample, draws = samples_of("xiehouyu")[1], np.random.default_rng(0).uniform(-90, -1, (40, 8))
    theirs = _lm_eval(sample)
    expected = [theirs.process_results({}, [(one, False) for one in nats])["acc_mutual_info"] for nats in draws]
    found = [scored("xiehouyu", sample, nats)["acc_lifted"] for nats in draws.tolist()]
    assert [one.value for one in found] == expected
    assert 0 < sum(expected) < 40
    assert not any(one.tie for one in found)


def _lm_eval(sample):
    metrics = [{"metric": "acc_mutual_info", "aggregation": "mean", "higher_is_better": True}]
    config = {
        "task": "made_up",
        "output_type": "multiple_choice",
        "test_split": "test",
        "custom_dataset": lambda **_: {"test": Dataset.from_list([{"question": sample.prompt}])},
        "doc_to_text": "{{question}}",
        "doc_to_choice": list(sample.choices),
        "doc_to_target": sample.gold,
        "metric_list": metrics,
    }
    return ConfigurableTask(config=config)


def test_a_pair_is_compared_by_whole_sentences_of_one_length():
    samples = samples_of("sighan_pairs")
    assert len(samples) == 363
    assert all(len(first) == len(second) and first != second for one in samples for first, second in [one.choices])
    asked = registry.task("sighan_pairs").requests(samples[0])
    assert [(one.context, one.continuation) for one in asked] == [("", one) for one in samples[0].choices]
    found = scored("sighan_pairs", samples[0], [-20.0, -21.0])
    assert found["acc"].value == float(samples[0].gold == 0)


def test_commonness_of_characters_is_counted_over_all_sentences():
    rows = [
        {"written": "坐路回家", "corrected": "走路回家"},
        {"written": "走了三年", "corrected": "走了三天"},
        {"written": "都对", "corrected": "都对"},
        {"written": "太长了", "corrected": "长了"},
    ]
    first, second = registry.task("sighan_pairs").samples(rows, ALL)
    # 走 stands there three times, 坐 once; 天 and 年 once each. Rows three and four are no pairs.
    assert (first.fields["commoner"], second.fields["commoner"]) == (1.0, 0.5)


def test_what_the_task_says_of_commonness_is_so():
    commoner = [one.fields["commoner"] for one in samples_of("sighan_pairs")]
    assert np.mean(commoner) == pytest.approx(0.58, abs=0.002)


def test_statutes_are_whole_articles_of_their_length_and_each_once():
    texts = [one.prompt for one in samples_of("chinese_statutes")]
    assert all(100 <= len(text) <= 300 for text in texts)
    assert len(set(texts)) == len(texts)


def wheel_of(folder, files):
    """A wheel in the cache with these files, by name."""
    wheel = Wheel(project="made-up", version="1", sha256="0" * 64)
    for name, content in files.items():
        path = folder / "wheels" / f"made-up-1-{'0' * 12}" / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return wheel


@pytest.fixture
def cache_of(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path


def zipped(text):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("sayings.txt", text)
    return stream.getvalue()


def test_sayings_that_mock_or_repeat_or_have_no_ending_are_left_out(cache_of):
    kept = "".join(
        f"山上第{number}棵松\t{ending}\n" for number, ending in enumerate(["青绿色", "高又直", "不怕冷", "立得稳"])
    )
    text = kept + "聋子听戏\t白费劲\n十五个吊桶打水\t七上八下\n没有结尾\n打水\t打不着\n山上第0棵松\t常年在\n"
    wheel = wheel_of(cache_of, {"sayings.zip": zipped(text)})
    path = SayingSource(wheel=wheel, member="sayings.zip").fetch(offline=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert {row["riddle"]: row["ending"] for row in rows} == {
        **{f"山上第{number}棵松": ending for number, ending in enumerate(["青绿色", "高又直", "不怕冷", "立得稳"])}
    }
    assert all(set(row["distractors"]) <= {"青绿色", "高又直", "不怕冷", "立得稳"} - {row["ending"]} for row in rows)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (lambda wheel: SayingSource(wheel=wheel, member="odd"), "odd: can't be unpacked"),
        (lambda wheel: StatuteSource(wheel=wheel, member="odd"), "odd: is no database of statutes"),
        (lambda wheel: IdiomSource(wheel=wheel, member="odd", sentences=True), "odd: is no dictionary of idioms"),
    ],
)
def test_an_odd_file_is_told_by_its_name(cache_of, source, said):
    with pytest.raises(DataError, match=said):
        source(wheel_of(cache_of, {"odd": b"[1, 2"})).fetch(offline=True)
    assert {path.name for path in cache_of.iterdir()} == {"wheels"}


def test_a_database_of_another_layout_is_told(cache_of):
    sqlite3.connect(cache_of / "other.db").close()
    wheel = wheel_of(cache_of, {"laws.db": b""})
    with pytest.raises(DataError, match="no such table"):
        StatuteSource(wheel=wheel, member="laws.db").fetch(offline=True)


@given(st.text(), st.lists(st.text(min_size=1, max_size=3), max_size=12), st.integers(0, 5))
def test_wrong_answers_are_distinct_fit_and_hang_on_the_key(key, pool, count):
    fits = lambda one: "a" not in one  # noqa: E731
    found = distractors(key, pool, count, fits)
    assert found == distractors(key, pool, count, fits)
    assert len(found) == len(set(found)) <= count
    assert set(found) <= {one for one in pool if fits(one)}


def test_places_are_spread_evenly():
    counts = Counter(place(str(number), 4) for number in range(4000))
    assert all(abs(counts[at] - 1000) < 120 for at in range(4))


def test_noise_is_of_chinese_and_leaves_the_choices_alone():
    task = registry.task("robustness_idiom_meanings")
    samples = task.samples(fetch("idiom_meanings").rows, TaskSettings(limit=30, num_fewshot=0, seed=0))
    noise, seen = {"homophones_zh", "similar_shapes_zh", "traditional_zh", "punctuation_width_zh"}, set()
    for sample in samples:
        asked = task.requests(sample)
        assert len(asked) == 4 * (1 + len(sample.fields["variants"]))
        assert {one.continuation for one in asked} == set(sample.choices)
        for variant in sample.fields["variants"]:
            seen.add(variant.perturbation)
            (read,) = {one.context for one in variant.requests}
            assert read != sample.prompt
            assert len(read) == len(sample.prompt)
    assert seen == noise


def test_a_report_names_the_tasks_that_were_guessed():
    """Four choices beside their control, whose requests don't count as choices, and pairs."""

    def accuracy(task, low):
        return Estimate(
            suite="chinese",
            task=task,
            metric="acc",
            value=low + 0.1,
            low=low,
            high=low + 0.2,
            n=80,
            unit="share",
            direction="higher",
            signature="",
        )

    asked = [("xiehouyu", None)] * 4 + [("xiehouyu", "without")] * 4 + [("idiom_cloze", None)] * 4
    asked += [("sighan_pairs", None)] * 2
    samples = pd.DataFrame(
        [
            {"suite": "chinese", "task": task, "sample_id": "1", "kind": "loglikelihood", "variant": variant}
            for task, variant in asked
        ]
    )
    estimates = [accuracy("xiehouyu", 0.24), accuracy("idiom_cloze", 0.26), accuracy("sighan_pairs", 0.4)]
    run = SimpleNamespace(model="made-up", estimates=estimates, samples=samples, scores=pd.DataFrame())
    (worry,) = ChineseReport().worries(run, Words("zh").of("chinese"))
    assert worry.text == (
        "在歇后语、SIGHAN（用字辨正）上，其中文回答与随机猜测无从区分：准确率的区间下端不高于随机水平。"
    )
    run.estimates = estimates[1:2]
    assert [*ChineseReport().worries(run, Words("en"))] == []
