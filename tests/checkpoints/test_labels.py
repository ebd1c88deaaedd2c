"""Names of labels: those that config.json gives, and those that the user gives instead."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.checkpoints import resolve
from harness.checkpoints.labels import config_labels, label_count, names_of, with_labels
from harness.core.errors import CheckpointError, InputError


@pytest.mark.parametrize(
    ("config", "names", "count"),
    [
        ({}, (), 2),
        ({"num_labels": 3}, (), 3),
        ({"num_labels": "three"}, (), 2),
        ({"id2label": {}}, (), 0),
        ({"id2label": {"1": "good", "0": "bad"}}, ("bad", "good"), 2),
        ({"id2label": {"10": "k", "9": "j"}}, ("j", "k"), 2),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, (), 2),
        ({"id2label": {"first": "bad", "second": "good"}}, (), 2),
    ],
)
def test_names_stand_in_the_order_of_the_models_outputs(config, names, count):
    assert config_labels(config) == names
    assert label_count(config) == count


@pytest.fixture
def classifier(tiny_llama):
    config = {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}
    return replace(resolve(str(tiny_llama)), kind="classifier", config=config)


def test_the_users_names_take_the_place_of_none(classifier):
    named = with_labels(classifier, ["bad", "good"])
    assert names_of(named, SimpleNamespace(num_labels=2)) == ("bad", "good")
    assert names_of(classifier, SimpleNamespace(num_labels=2)) == ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize(
    ("labels", "words"),
    [(["bad", " "], "is empty or listed twice"), (["bad", "bad"], "listed twice"), (["bad"], "2 labels")],
)
def test_names_that_fit_no_model_are_refused(classifier, labels, words):
    with pytest.raises((InputError, CheckpointError), match=words):
        with_labels(classifier, labels)


def test_a_model_without_labels_takes_no_names(tiny_llama):
    with pytest.raises(InputError, match="of the kind causal, which gives no labels"):
        with_labels(resolve(str(tiny_llama)), ["bad", "good"])


def test_a_loaded_model_whose_names_are_too_many_or_not_distinct_is_refused(classifier):
    with pytest.raises(CheckpointError, match="3 labels"):
        names_of(replace(classifier, labels=("a", "b")), SimpleNamespace(num_labels=3))
    with pytest.raises(CheckpointError, match="the same name"):
        names_of(replace(classifier, labels=("a", "a")), SimpleNamespace(num_labels=2))
