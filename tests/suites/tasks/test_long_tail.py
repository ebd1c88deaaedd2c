"""Thirds from common to rare, and inputs from outside, on texts whose strata and scores are known."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from harness.core import registry
from harness.core.datasets import Row
from harness.core.errors import TaskError
from harness.core.metrics import Metric, Undefined
from harness.core.requests import LoglikelihoodRolling, Response
from harness.core.scores import Score
from harness.core.statistics import Interval
from harness.core.tasks import Sample, TaskSettings
from suites.accuracy.piqa import PIQA
from suites.long_tail.outside import OutsideIMDB
from suites.long_tail.outside_classifier import OutsideIMDBClassifier
from suites.long_tail.strata import ATTRIBUTES, Strata, word_frequencies
from suites.long_tail.wrapper import StrataTask, strata
from suites.perplexity.wikitext_sentences import WikiTextSentences
from tests.tasks.test_classification import Weather

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)
WORDS = ("the", "house", "garden", "lantern", "obelisk", "zygote", "qintar", "xylem")


def rows_of(count: int) -> list[Row]:
    """Goals of ever rarer and more words."""
    return [
        {
            "question": " ".join([WORDS[len(WORDS) * number // count]] * (number + 1)),
            "options": "A. one\nB. two",
            "answer": "A. one",
        }
        for number in range(count)
    ]


def judged(task: StrataTask, rows: Sequence[Row], right: Callable[[Sample], bool]) -> list[Score]:
    found: list[Score] = []
    for sample in task.samples(rows, ALL):
        better = 0 if right(sample) else 1
        responses = [
            Response(request_id=request.id, loglikelihood=-1.0 if place == better else -9.0)
            for place, request in enumerate(task.requests(sample))
        ]
        found += task.score(sample, responses)
    return found


def reduced(metric: Metric, scores: Sequence[Score]) -> Interval:
    return metric.reduce([one for one in scores if one.metric == metric.name], Random(0))


def gap_of(task: StrataTask, attribute: str) -> Metric:
    return next(metric for metric in task.metrics if metric.name == f"{attribute}_gap")


def test_rarity_is_the_mean_zipf_frequency_of_the_words_and_length_their_number() -> None:
    known = word_frequencies("en")
    texts = [f"{word} {word}" for word in WORDS] + ["the the the"]
    parted = Strata.of(texts, "en")
    ranked = sorted(texts, key=lambda text: -math.log10(known.get(text.split()[0], 1e-9)))
    places = [ATTRIBUTES["rarity"].index(parted.groups(text)["rarity"]) for text in ranked]
    assert places == sorted(places)
    assert Counter(places) == {0: 3, 1: 2, 2: 4}
    lengths = [parted.groups(text)["length"] for text in texts]
    assert lengths == ["short"] * len(WORDS) + ["long"]


def test_the_gap_is_newcombes_difference_of_two_shares_with_the_p_value_of_its_interval() -> None:
    task, rows = StrataTask(PIQA()), rows_of(90)
    rng = Random(3)
    scores = judged(
        task,
        rows,
        lambda sample: rng.random() < {"common": 0.7, "rare": 0.3}.get(sample.fields["strata"]["rarity"], 0.7),
    )
    of = {
        stratum: [one.value for one in scores if one.metric == "acc_norm" and one.groups["rarity"] == stratum]
        for stratum in ATTRIBUTES["rarity"]
    }
    assert [len(values) for values in of.values()] == pytest.approx([30, 30, 30], abs=8)
    found = reduced(gap_of(task, "rarity"), scores)
    head, tail = of["common"], of["rare"]
    assert found.value == pytest.approx(np.mean(head) - np.mean(tail))
    ends = [proportion_confint(sum(side), len(side), method="wilson") for side in (head, tail)]  # type: ignore[arg-type]
    (one_low, one_high), (other_low, other_high) = ends
    low = found.value - math.hypot(np.mean(head) - one_low, other_high - np.mean(tail))
    high = found.value + math.hypot(one_high - np.mean(head), np.mean(tail) - other_low)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    plain = math.sqrt(sum(np.mean(side) * (1 - np.mean(side)) / len(side) for side in (head, tail)))
    assert found.p_value == pytest.approx(2 * norm.sf(found.value / plain), abs=0.02)


def test_texts_that_cost_more_bits_at_the_tail_have_a_gap_above_0() -> None:
    task = strata(WikiTextSentences())
    rows: list[Row] = [{"text": row["question"]} for row in rows_of(60)]
    scores: list[Score] = []
    for sample in task.samples(rows, ALL):
        (request,) = task.requests(sample)
        assert isinstance(request, LoglikelihoodRolling)
        nats = {"common": 1.0, "middle": 2.0, "rare": 3.0}[sample.fields["strata"]["rarity"]]
        size = len(sample.prompt.encode())
        scores += task.score(
            sample, [Response(request_id=request.id, loglikelihood=-nats * size - len(scores) % 3, token_count=size)]
        )
    found = reduced(gap_of(task, "rarity"), scores)
    assert found.value == pytest.approx(2 / math.log(2), abs=0.1)
    assert found.low is not None and found.low > 0  # noqa: PT018


def test_texts_of_one_stratum_have_no_gap_and_say_how_many_there_are() -> None:
    task = StrataTask(PIQA())
    rows: list[Row] = [{"question": "the house", "options": "A. one\nB. two", "answer": "A. one"}] * 30
    with pytest.raises(Undefined, match="common has 30 samples and rare 0: at least 10 of each are needed"):
        reduced(gap_of(task, "rarity"), judged(task, rows, lambda _: True))


def test_strata_ask_what_the_task_asks_and_a_sample_keeps_its_stratum_where_fewer_are_drawn() -> None:
    task, inner, rows = StrataTask(PIQA()), PIQA(), rows_of(60)
    few = TaskSettings(limit=15, num_fewshot=2, seed=1)
    assert [task.requests(one) for one in task.samples(rows, few)] == [
        inner.requests(one) for one in inner.samples(rows, few)
    ]
    strata_of = {one.id: one.fields["strata"] for one in task.samples(rows, ALL)}
    assert all(one.fields["strata"] == strata_of[one.id] for one in task.samples(rows, few))


def test_another_sort_of_task_or_language_is_refused_in_a_line() -> None:
    with pytest.raises(TaskError, match="strata:weather"):
        strata(Weather())
    with pytest.raises(TaskError, match="strata:chinese_contexts: rows of a data set are parted"):
        strata(registry.task("chinese_contexts"))
    case = {"male_sentence": "A man.", "female_sentence": "A woman.", "options": str([*"abcde"]), "correct_option": 0}
    with pytest.raises(TaskError, match=r"diversity_med_qa: .* the task makes rows of its own"):
        strata(registry.task("diversity_med_qa")).samples([case], ALL)
    pairs = [
        {"written": one, "corrected": other} for one, other in (("同", "同"), ("他在见", "他再见"), ("做天", "昨天"))
    ]
    with pytest.raises(TaskError, match=r"sighan_pairs: .* the task makes rows of its own"):
        strata(registry.task("sighan_pairs")).samples(pairs, ALL)  # the first is no pair, and left out by it
    with pytest.raises(TaskError, match="no word frequencies of the language xx"):
        word_frequencies("xx")
    assert registry.task("strata_piqa").name == "strata_piqa"


def outside_rows() -> list[dict[str, Any]]:
    reviews = [{"class": "inside", "text": f"film {number}", "label": str(number % 2)} for number in range(40)]
    return [*reviews, *({"class": "outside", "text": f"stone {number}"} for number in range(60))]


def test_detectors_are_the_published_scores_and_their_auroc_is_scikit_learns() -> None:
    task, rng = OutsideIMDB(), Random(0)
    samples = task.samples(outside_rows(), TaskSettings(limit=50, num_fewshot=0, seed=0))
    assert Counter(one.fields["groups"]["source"] for one in samples) == {"inside": 25, "outside": 25}
    scores: list[Score] = []
    plain: dict[str, list[float]] = {"probability": [], "entropy": [], "energy": []}
    for sample in samples:
        logits = [rng.gauss(-4, 2) - 2 * (sample.fields["groups"]["source"] == "outside") for _ in range(2)]
        requests = task.requests(sample)
        scores += task.score(
            sample,
            [Response(request_id=one.id, loglikelihood=value) for one, value in zip(requests, logits, strict=True)],
        )
        shares = np.exp(logits) / np.exp(logits).sum()
        plain["probability"].append(-shares.max())
        plain["entropy"].append(-(shares * np.log(shares)).sum())
        plain["energy"].append(-math.log(np.exp(logits).sum()))
    truth = [one.fields["groups"]["source"] == "outside" for one in samples]
    for metric in task.metrics:
        expected = roc_auc_score(truth, plain[metric.name.removeprefix("detection_")])
        assert reduced(metric, scores).value == pytest.approx(expected)
    with pytest.raises(Undefined, match="all inputs are from inside"):
        reduced(task.metrics[0], [one for one in scores if one.groups["source"] == "inside"])


def test_the_reviews_are_those_that_the_sentiment_task_asks_about() -> None:
    task, rows = OutsideIMDB(), outside_rows()
    reviews = registry.task("imdb").samples(
        [row for row in rows if row["class"] == "inside"], TaskSettings(limit=20, num_fewshot=0, seed=5)
    )
    asked = task.samples(rows, TaskSettings(limit=40, num_fewshot=0, seed=5))
    assert {one.prompt for one in reviews} == {
        one.prompt for one in asked if one.fields["groups"]["source"] == "inside"
    }


def test_a_classifier_is_looked_at_by_its_labels_on_the_reviews_that_its_own_task_asks_about() -> None:
    task, rows, rng = OutsideIMDBClassifier(), outside_rows(), Random(1)
    settings = TaskSettings(limit=40, num_fewshot=0, seed=5)
    samples = task.samples(rows, settings)
    truth = [one.fields["groups"]["source"] == "outside" for one in samples]
    plain, scores = [], list[Score]()
    for sample, outside in zip(samples, truth, strict=True):
        share = rng.uniform(0.2, 0.8) if outside else rng.uniform(0.05, 0.95)
        (request,) = task.requests(sample)
        answer = Response(request_id=request.id, label_scores={"negative": share, "positive": 1 - share})
        scores += task.score(sample, [answer])
        plain.append(-max(share, 1 - share))
    for metric in task.metrics:
        assert reduced(metric, scores).value == pytest.approx(roc_auc_score(truth, plain))
    half = TaskSettings(limit=20, num_fewshot=0, seed=5)
    reviews = registry.task("imdb_classifier").samples([row for row in rows if row["class"] == "inside"], half)
    assert {one.prompt for one in reviews} == {
        one.prompt for one, outside in zip(samples, truth, strict=True) if not outside
    }
