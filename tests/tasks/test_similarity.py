"""Cosines held against judgements, and association tests, against scipy and the papers' formulas."""

import itertools
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from scipy import stats

from harness.core.errors import DataError
from harness.core.metrics import Undefined
from harness.core.requests import Embed, Response
from harness.core.scores import Score
from harness.core.tasks import TaskSettings
from harness.tasks.similarity import SimilarityTask, cosine
from suites.fairness.association import EFFECT_SIZE, P_VALUE, AssociationTest

SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)


class Pairs(SimilarityTask):
    name = "pairs"

    def pair(self, row):
        return row["one"], row["other"], float(row["alike"])


def vector(text: str) -> tuple[float, ...]:
    return tuple(np.random.default_rng(list(text.encode())).normal(size=8))


def scored(task, rows) -> list[Score]:
    return [
        score
        for sample in task.samples(rows, SETTINGS)
        for score in task.score(
            sample, [Response(request_id="", vector=vector(request.text)) for request in task.requests(sample)]
        )
    ]


def test_similarity_is_spearmans_correlation_of_cosines_with_judgements():
    rows = [{"one": f"word {n}", "other": f"thing {n}", "alike": str(n % 7)} for n in range(40)]
    expected = stats.spearmanr(
        [
            np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other)
            for one, other in ((vector(row["one"]), vector(row["other"])) for row in rows)
        ],
        [float(row["alike"]) for row in rows],
    ).statistic
    (metric,) = Pairs().metrics
    interval = metric.reduce(scored(Pairs(), rows), Random(0))
    assert interval.value == pytest.approx(expected)
    assert interval.low < interval.value < interval.high


def test_a_judgement_that_is_no_number_is_refused():
    for alike in ("much", "nan"):
        with pytest.raises(DataError, match=r"not a (finite )?number"):
            Pairs().samples([{"one": "a", "other": "b", "alike": alike}], SETTINGS)


def test_a_vector_without_direction_is_no_score():
    (sample,) = Pairs().samples([{"one": "a", "other": "b", "alike": "1"}], SETTINGS)
    zero, one = Response(request_id="", vector=(0.0, 0.0)), Response(request_id="", vector=(1.0, 0.0))
    assert "no direction" in str(Pairs().score(sample, [zero, one])[0].invalid)
    lost = Response(request_id="", invalid="too large")
    assert Pairs().score(sample, [one, lost])[0].invalid == "too large"


ROW = {
    "first_target": {"words": ["ant", "bee", "fly", "gnat"], "remove": ["gnat"]},
    "second_target": {"words": ["rose", "lily", "iris"]},
    "first_attribute": {"words": ["good", "kind"]},
    "second_attribute": {"words": ["bad", "evil", "failur"]},
}


class Insects(AssociationTest):
    name = "insects"
    number = 1


def association(word: str) -> float:
    def near(others: Sequence[str]) -> float:
        return float(np.mean([cosine(vector(word), vector(other)) for other in others]))

    return near(["good", "kind"]) - near(["bad", "evil", "failure"])


X, Y = ["ant", "bee", "fly"], ["rose", "lily", "iris"]


def test_the_effect_size_is_that_of_the_paper():
    scores = [score for score in scored(Insects(), [ROW]) if score.metric == "effect_size"]
    first, second = [association(word) for word in X], [association(word) for word in Y]
    expected = (np.mean(first) - np.mean(second)) / np.std([*first, *second], ddof=1)
    assert EFFECT_SIZE.reduce(scores, Random(0)).value == pytest.approx(expected)


def test_the_p_value_is_that_of_all_partitions():
    scores = [score for score in scored(Insects(), [ROW]) if score.metric == "p_value"]
    everything = {word: association(word) for word in (*X, *Y)}

    def statistic(chosen: Sequence[str]) -> float:
        return sum(everything[word] if word in chosen else -everything[word] for word in everything)

    partitions = [statistic(chosen) for chosen in itertools.combinations(everything, 3)]
    expected = np.mean([one >= statistic(X) - 1e-12 for one in partitions])
    assert P_VALUE.reduce(scores, Random(0)).value == pytest.approx(expected)


def test_drawn_partitions_give_nearly_the_p_value_of_a_t_test():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0.4, 1, 40), rng.normal(0, 1, 40)])
    scores = [
        Score(sample_id=str(n), metric="p_value", value=value, gold="first" if n < 40 else "second", cluster=str(n))
        for n, value in enumerate(values)
    ]
    expected = stats.ttest_ind(values[:40], values[40:], alternative="greater").pvalue
    assert P_VALUE.reduce(scores, Random(0)).value == pytest.approx(expected, abs=0.01)


def test_the_sentences_of_a_word_stay_together():
    class InSentences(Insects):
        templates = ("This is {word}.", "{word} is here.")

    task = InSentences()
    samples = task.samples([ROW], TaskSettings(limit=2, num_fewshot=0, seed=0))
    assert [sample.prompt for sample in samples[:2]] == ["This is ant.", "ant is here."]
    assert len(samples) == 12
    assert Embed(text="failure is here.") in task.requests(samples[0])
    twice = [score for score in scored(task, [ROW]) if score.metric == "p_value"]
    # 3 + 3 words, not 6 + 6 sentences, are dealt out.
    assert P_VALUE.reduce(twice, Random(0)).method == "all 20 partitions"


def test_a_group_without_a_word_left_has_no_figure():
    scores = [score for score in scored(Insects(), [ROW]) if score.gold == "first"]
    for metric in (EFFECT_SIZE, P_VALUE):
        with pytest.raises(Undefined, match="no word left"):
            metric.reduce([score for score in scores if score.metric == metric.name], Random(0))


def test_a_test_that_is_not_in_the_data_is_refused():
    class Eleventh(Insects):
        number = 11

    with pytest.raises(DataError, match="not a test 11"):
        Eleventh().samples([ROW], SETTINGS)
    with pytest.raises(DataError, match="no words in first_attribute"):
        Insects().samples([{}], SETTINGS)
