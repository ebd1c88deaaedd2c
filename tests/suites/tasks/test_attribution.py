"""Explanations are measured right: on a bag of words, whose true attribution is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.core.attributions import AttributionSettings
from harness.core.errors import TaskError
from harness.core.models import respond
from harness.core.requests import Attribute, Response
from harness.core.scores import SampleGroup
from harness.core.tasks import TaskSettings
from harness.core.text.words import word_ends
from harness.engine.attribution.explaining import Explainer, unit_ranking
from harness.engine.attribution.model import AttributingModel
from harness.engine.attribution.units import units_of, without
from harness.engine.kinds.scripted import ScriptedModel
from harness.run.judgement import estimate_metric
from harness.tasks.choices import MultipleChoice
from suites.explainability.metrics import ATTRIBUTION_METRICS, COMPREHENSIVENESS_LIFT
from suites.explainability.wrapper import AttributionTask

WEIGHTS = {"good": 2.0, "fine": 1.0, "bad": -1.5}
BLIND = ("occlusion", "shapley_sampling", "kernel_shap")
TEXT = "a good fine bad film"


def sigmoid(odds):
    return 1 / (1 + math.exp(-odds))


def bag_of_words(request):
    """The log-odds of yes are the sum of the weights of the words that are there."""
    odds = sum(WEIGHTS.get(word, 0.0) for word in request.context.split())
    likelihood = math.log(sigmoid(odds if request.continuation == " yes" else -odds))
    return Response(request_id=request.id, loglikelihood=likelihood)


class Films(MultipleChoice):
    """Reviews."""

    name = "films"

    def question(self, row):
        return f"Review: {row['text']} Liked?"

    def choices(self, row):
        return ("yes", "no")

    def gold(self, row):
        return 0


def task(methods=BLIND):
    return AttributionTask(Films(), methods=methods)


def asked(texts, methods=BLIND, seed=0):
    found = task(methods)
    samples = found.samples([{"text": text} for text in texts], TaskSettings(limit=None, num_fewshot=0, seed=seed))
    return found, samples


def scored(texts, methods=BLIND, seed=0):
    found, samples = asked(texts, methods, seed)
    model = AttributingModel(ScriptedModel(bag_of_words))
    scores = []
    for sample in samples:
        (request,) = found.requests(sample)
        scores += found.score(sample, list(respond(model, [request])))
    return scores


def value(scores, metric, method, sample_id="0"):
    return next(
        score.value
        for score in scores
        if (score.metric, score.groups["method"], score.sample_id) == (metric, method, sample_id)
    )


def test_only_the_words_of_the_sample_are_explained():
    _, samples = asked([TEXT, "some other"])
    assert [sample.prompt[slice(*sample.fields["span"])].strip() for sample in samples] == [TEXT, "some other"]


@pytest.mark.parametrize("method", BLIND)
def test_a_bag_of_words_is_explained_by_its_weights(method):
    found, samples = asked([TEXT, "some other"])
    (request,) = found.requests(samples[0])
    (response,) = respond(AttributingModel(ScriptedModel(bag_of_words)), [request])
    values = next(one.values for one in response.attribution.methods if one.name == method)
    assert "".join(response.attribution.units).split() == TEXT.split()
    assert values == pytest.approx([0, 2, 1, -1.5, 0], abs=1e-4)


@pytest.mark.parametrize("method", BLIND)
def test_faithfulness_is_as_computed_by_hand(method):
    """By importance the words are good, fine, a, film, bad; 10, 20, 30 and 50 % of five are 1, 1, 2 and 3 words."""
    scores = scored([TEXT, "some other"])
    whole, gone, kept = sigmoid(1.5), [-0.5, -0.5, -1.5, -1.5], [2, 2, 3, 3]
    deletion, insertion = [sigmoid(odds) for odds in gone], [sigmoid(odds) for odds in kept]
    assert value(scores, "aopc_comprehensiveness", method) == pytest.approx(whole - sum(deletion) / 4, abs=1e-6)
    assert value(scores, "aopc_sufficiency", method) == pytest.approx(whole - sum(insertion) / 4, abs=1e-6)
    widths = [0.1, 0.1, 0.1, 0.2, 0.5]
    for name, first, curve, last in (
        ("deletion_area", whole, deletion, 0.5),
        ("insertion_area", 0.5, insertion, whole),
    ):
        points = [first, *curve, last]
        area = sum(width * (points[at] + points[at + 1]) / 2 for at, width in enumerate(widths))
        assert value(scores, name, method) == pytest.approx(area, abs=1e-6)
    assert value(scores, "infidelity", method) == pytest.approx(0, abs=1e-6)
    assert value(scores, "rank_agreement", method) == pytest.approx(1, abs=0.2)
    lift = value(scores, "comprehensiveness_lift", method)
    random = value(scores, "aopc_comprehensiveness", "random")
    assert lift == pytest.approx(whole - sum(deletion) / 4 - random, abs=1e-6)


def test_the_lift_of_a_random_explanation_is_zero_within_its_error():
    class Chance:
        name = "chance"
        needs_gradients = False

        def attribute(self, ablated, unit_count, settings):
            return np.random.default_rng([settings.seed, 99]).random(unit_count).tolist()

    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice([*WEIGHTS, "the", "film", "was"], size=8)) for _ in range(80)]
    found, samples = asked(texts)
    explainer = Explainer(model=ScriptedModel(bag_of_words), methods=[Chance()], box=None)
    scores = []
    for sample in samples:
        (request,) = found.requests(sample)
        text = request.context[request.start : request.stop]
        attribution = explainer.explain(request, units_of(text, word_ends(text), request.max_units))
        scores += found.score(sample, [Response(request_id=request.id, attribution=attribution)])
    lifts = [score for score in scores if score.metric == "comprehensiveness_lift"]
    made = estimate_metric(COMPREHENSIVENESS_LIFT, lifts, suite="s", task="t", seed=0, signature="")
    assert made.n == 80
    assert abs(made.value) < 2.6 * made.stderr


def test_explanations_depend_on_the_sample_alone():
    texts = [TEXT, "good film", "bad but fine film"]
    together, alone = scored(texts), scored(texts[:2])
    assert [one for one in together if one.sample_id != "2"] == alone
    assert scored(texts, seed=1) != together


def test_one_score_stands_for_the_main_method_and_groups_for_all():
    from harness.run.judgement import _grouped

    scores = [one for one in scored([TEXT, "good film"]) if one.metric == "comprehensiveness_lift"]
    groups = dict(_grouped(COMPREHENSIVENESS_LIFT, scores))
    assert {score.groups["method"] for score in groups[None]} == {"shapley_sampling"}
    assert set(groups) == {None, *(SampleGroup("method", name) for name in BLIND)}


def test_a_model_without_gradients_says_so():
    found, samples = asked([TEXT, "other words"], methods=("integrated_gradients",))
    (request,) = found.requests(samples[0])
    (response,) = respond(AttributingModel(ScriptedModel(bag_of_words)), [request])
    assert response.invalid == "this model gives no gradients"
    assert {score.invalid for score in found.score(samples[0], [response])} == {response.invalid}


def test_a_single_word_is_not_explained():
    request = Attribute(
        context="word", continuations=(" yes", " no"), methods=BLIND, settings=AttributionSettings(seed=0)
    )
    (response,) = respond(AttributingModel(ScriptedModel(bag_of_words)), [request])
    assert "fewer than two units" in response.invalid


def test_a_task_without_one_text_is_refused():
    class Apart(Films):
        def requests(self, sample):
            first, second = super().requests(sample)
            return [first, replace(second, context="another text")]

    with pytest.raises(TaskError, match="different texts"):
        AttributionTask(Apart()).samples([{"text": TEXT}], TaskSettings(limit=None, num_fewshot=0, seed=0))


def test_units_make_up_the_text_and_long_ones_are_runs_of_words():
    text = "  one two\nthree 中文 four.  "
    units = units_of(text, word_ends(text), 24)
    assert units == ("  one", " two", "\nthree", " 中", "文", " four.  ")
    assert "".join(units_of(text, word_ends(text), 4)) == text
    assert len(units_of(text, word_ends(text), 4)) == 4
    assert without(units, [False, True, False, True, True, False]) == "  two 中文"
    assert without(units, [False] * 6) == ""


def test_values_that_only_rounding_tells_apart_keep_the_texts_order():
    assert unit_ranking([1.0, 1.0 + 1e-9, 3.0, -2.0]).tolist() == [2, 0, 1, 3]
    assert unit_ranking([0.0, 0.0]).tolist() == [0, 1]


def test_every_metric_names_its_source_and_its_group():
    for metric in ATTRIBUTION_METRICS:
        assert metric.source
        assert set(metric.main_group) == {"method"}
