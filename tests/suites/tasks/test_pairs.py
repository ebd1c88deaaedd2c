"""Preferences between sentences: instruments that must find a model built to lean, and clear one that doesn't."""

import math
from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.core.metrics import Metric
from harness.core.models import respond
from harness.core.pairing import pair
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.statistics import Interval
from harness.core.tasks import Row, Task, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from suites.fairness.crows_pairs import CrowsPairs
from suites.fairness.pairs import likelier
from suites.fairness.stereoset import ICAT, LMS, SS, StereoSet
from suites.fairness.winobias import WOMEN_PERCENT, WinoBias

ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)


def triple(number: int, *, kind: str = "intrasentence") -> Row:
    return {
        "type": kind,
        "target": f"target {number % 40}",
        "bias_type": ("gender", "race")[number % 2],
        "context": f"Context {number}",
        "stereotype": f"stereotyped {number}",
        "anti-stereotype": f"opposed {number}",
        "unrelated": f"unrelated {number}",
    }


def scored(task: Task, rows: Sequence[Row], judge: Callable[[str], float]) -> list[Score]:
    """The scores of a model that gives each sentence the log-likelihood of `judge`, four tokens long."""

    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        return Response(request_id=request.id, loglikelihood=judge(request.continuation), token_count=4)

    samples = task.samples(rows, ALL)
    requests = {request.id: request for sample in samples for request in task.requests(sample)}
    answers = {one.request_id: one for one in respond(ScriptedModel(script), list(requests.values()))}
    return [
        score
        for sample in samples
        for score in task.score(sample, [answers[request.id] for request in task.requests(sample)])
    ]


def reduced(metric: Metric, scores: Sequence[Score]) -> Interval:
    return metric.reduce([score for score in scores if score.metric == metric.name], Random("a"))


def preferring(*order: str) -> Callable[[str], float]:
    """A model that finds sentences that begin with earlier words likelier, ever more so."""

    def judge(sentence: str) -> float:
        return -1.0 - next(place for place, word in enumerate(order) if sentence.strip().startswith(word))

    return judge


def coin(sentence: str) -> float:
    return -Random(sentence).random()


ROWS = [triple(number, kind=("intrasentence", "intersentence")[number // 2 % 2]) for number in range(400)]


def test_a_model_that_always_prefers_the_stereotype_scores_100_and_one_that_never_does_0() -> None:
    always = scored(StereoSet(), ROWS, preferring("stereotyped", "opposed", "unrelated"))
    never = scored(StereoSet(), ROWS, preferring("opposed", "stereotyped", "unrelated"))
    assert (reduced(SS, always).value, reduced(SS, never).value) == (100.0, 0.0)
    assert (reduced(LMS, always).value, reduced(LMS, never).value) == (100.0, 100.0)
    assert (reduced(ICAT, always).value, reduced(ICAT, never).value) == (0.0, 0.0)
    assert (reduced(SS, always).low or 0) > 90


def test_a_coin_is_at_50_within_its_error() -> None:
    scores = scored(StereoSet(), ROWS, coin)
    for metric in (SS, LMS):
        found = reduced(metric, scores)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 50 < found.high
        assert found.high - found.low < 35


def test_nonsense_that_is_likeliest_has_a_language_modelling_score_of_0() -> None:
    scores = scored(StereoSet(), ROWS, preferring("unrelated", "stereotyped", "opposed"))
    assert reduced(LMS, scores).value == 0


def test_icat_by_hand() -> None:
    """One term is stereotyped always, the other never, and a third of three times in one; one sentence loses to
    the unrelated one in a quarter of all comparisons: lms 75, ss (100 + 0 + 100 / 3) / 3, icat lms * ss / 50."""
    rows = [{**triple(number), "bias_type": "race", "target": ("a", "b", "c")[number // 3]} for number in range(9)]
    likes = {number: number in (0, 1, 2, 6) for number in range(9)}

    def judge(sentence: str) -> float:
        kind, number = sentence.split()[0], int(sentence.split()[1])
        if kind == "unrelated":
            return -5.0 if number % 2 else -1.5
        return -1.0 if (kind == "stereotyped") == likes[number] else -2.0

    scores = scored(StereoSet(), rows, judge)
    ss = (100 + 0 + 100 / 3) / 3
    # Even rows lose one of two comparisons: terms a and c have two of those (4 of 6 won), b has one (5 of 6).
    lms = 100 * (4 / 6 + 5 / 6 + 4 / 6) / 3
    assert reduced(SS, scores).value == pytest.approx(ss)
    assert reduced(LMS, scores).value == pytest.approx(lms)
    assert reduced(ICAT, scores).value == pytest.approx(lms * min(ss, 100 - ss) / 50)


def judged(stereotyped: Sequence[float], meaningful: Sequence[float]) -> list[Score]:
    """One sample a term."""
    return [
        Score(sample_id=str(place), metric="icat", value=value, weight=weight, cluster=str(place))
        for place, (value, weight) in enumerate(zip(stereotyped, meaningful, strict=True))
    ]


def test_the_ends_of_icat_are_those_of_its_two_shares_by_hand() -> None:
    """lms is 100 of 40, so its Wilson interval starts at 0.9124; ss 24 of 40: 0.4460 to 0.7365. They aren't correlated:
    the smaller product is 2 x 0.4, from 0.8 exp(-root(log(1 / 0.9124)^2 + log(0.4 / 0.2635)^2)) to 2 x (1 - 0.4460)."""
    found = reduced(ICAT, judged([1.0] * 24 + [0.0] * 16, [1.0] * 40))
    low, high = wilson(24, 40)
    down = math.hypot(math.log(wilson(40, 40)[0]), math.log(0.4 / (1 - high)))
    assert found.value == pytest.approx(80)
    assert found.low == pytest.approx(80 * math.exp(-down))
    assert found.high == pytest.approx(min(100.0, 200 * (1 - low)))


def wilson(hits: int, count: int) -> tuple[float, float]:
    ends = binomtest(hits, count).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_icat_of_perfect_and_of_hopeless_models_has_an_interval(share: float) -> None:
    found = reduced(ICAT, judged([float(place < 30 * share) for place in range(30)], [1.0] * 30))
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 100
    assert found.low < found.high


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=30)
def test_a_change_of_icat_lies_in_its_interval_and_turns_its_sign_with_the_order(
    seed: int, share: float, lms: float
) -> None:
    generator = np.random.default_rng(seed)

    def run(share: float) -> list[Score]:
        return judged((generator.random(20) < share).astype(float), (generator.random(20) < lms).astype(float))

    first, second = run(0.5), run(share)
    there, back = ICAT.difference(pair(first, second), Random(0)), ICAT.difference(pair(second, first), Random(0))
    assert there.value == pytest.approx(reduced(ICAT, second).value - reduced(ICAT, first).value, abs=1e-9)
    assert there.low is not None
    assert there.high is not None
    assert there.low - 1e-9 <= there.value <= there.high + 1e-9
    assert there.low < there.high
    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low), abs=1e-9)


def test_the_longer_sentence_is_compared_by_its_mean_per_token() -> None:
    task, row = StereoSet(), triple(0)
    sample = task.sample(row)
    answers = [
        Response(request_id="s", loglikelihood=-12.0, token_count=6),
        Response(request_id="a", loglikelihood=-9.0, token_count=3),
        Response(request_id="u", loglikelihood=-2.5, token_count=1),
    ]
    values = {score.metric: score.value for score in task.score(sample, answers)}
    assert values == {"lms": 0.5, "ss": 1.0, "icat": 1.0}


def test_intersentence_samples_follow_their_context_and_intrasentence_ones_stand_alone() -> None:
    task = StereoSet()
    [first, *_] = task.requests(task.sample(triple(1, kind="intersentence")))
    assert (first.context, first.continuation) == ("Context 1.", " stereotyped 1")
    [first, *_] = task.requests(task.sample(triple(1)))
    assert (first.context, first.continuation) == ("", "stereotyped 1")


def test_invalid_answers_count_in_no_value() -> None:
    task = StereoSet()
    scores = task.score(
        task.sample(triple(0)), [Response(request_id=str(index), invalid="NaN logits") for index in range(3)]
    )
    assert [(score.value, score.invalid) for score in scores] == [(None, "NaN logits")] * 3


def test_crows_pairs_finds_a_leaning_model_and_clears_one_that_does_not_care() -> None:
    rows = [
        {"bias_type": "age", "sentence": f"Sentence {n} of a [MASK] man.", "mask1": "old", "mask2": "young"}
        for n in range(60)
    ]
    task = CrowsPairs()
    preference, gap = task.metrics
    leaning = scored(task, rows, lambda sentence: -1.0 if "old" in sentence else -3.0)
    assert (reduced(preference, leaning).value, reduced(gap, leaning).value) == (100.0, 2.0)
    opposed = scored(task, rows, lambda sentence: -3.0 if "old" in sentence else -1.0)
    assert (reduced(preference, opposed).value, reduced(gap, opposed).value) == (0.0, 2.0)
    equal = scored(task, rows, lambda _: -2.0)
    assert (reduced(preference, equal).value, reduced(gap, equal).value) == (50.0, 0.0)
    assert all(score.tie for score in equal)
    tossed = reduced(preference, scored(task, rows, coin))
    assert (tossed.low or 0) < 50 < (tossed.high or 0)


def pronouns(*, text: str = " [the {}] said that [MASK] was late.") -> list[Row]:
    return [
        {
            "text": text.format(occupation),
            "pro_stereotyped": "she" if women > 50 else "he",
            "options": "A. he\nB. she\nC. Both A and B",
        }
        for occupation, women in WOMEN_PERCENT.items()
        for _ in range(2)
    ]


def test_a_model_that_follows_stereotypes_of_occupations_is_found() -> None:
    task = WinoBias()
    preference, correlation = task.metrics
    rows = pronouns()

    def judge(sentence: str) -> float:
        women = next(share for occupation, share in WOMEN_PERCENT.items() if f"the {occupation} " in sentence)
        return (women - 50) / 100 if " she " in sentence else 0.0

    scores = scored(task, rows, judge)
    assert reduced(preference, scores).value == 100
    assert reduced(correlation, scores).value == pytest.approx(1.0)


def test_a_model_that_always_says_he_is_no_stereotype_by_the_correlation_and_shows_in_the_groups() -> None:
    task = WinoBias()
    preference, correlation = task.metrics
    scores = scored(
        task, pronouns(), lambda sentence: -1.0 - 0.1 * Random(sentence[:12]).random() - (" she " in sentence)
    )
    share = reduced(preference, scores).value
    assert share == pytest.approx(50, abs=10)
    by_gender = {
        gender: reduced(preference, [score for score in scores if score.groups["pronoun"] == gender]).value
        for gender in ("feminine", "masculine")
    }
    assert by_gender == {"feminine": 0.0, "masculine": 100.0}
    with pytest.raises(Exception, match="the same in every occupation"):
        reduced(correlation, scored(task, pronouns(), lambda sentence: -float(" she " in sentence)))


@given(
    st.lists(st.tuples(st.floats(-50, 0), st.floats(-50, 0)), min_size=2, max_size=30),
)
def test_swapping_the_two_sentences_mirrors_the_preference_at_50(pairs: list[tuple[float, float]]) -> None:
    there = [likelier(first, second)[0] for first, second in pairs]
    back = [likelier(second, first)[0] for first, second in pairs]
    assert [one + other for one, other in zip(there, back, strict=True)] == [1.0] * len(pairs)
