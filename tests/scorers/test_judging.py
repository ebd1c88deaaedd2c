from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from harness.core.errors import CheckpointError, InputError
from harness.run.options import EvalOptions
from harness.run.planning import plan
from harness.scorers.classifier import toxicity_scorer
from probes.toxicity.profanity import ProfanityScorer
from tests import tiny

TEXTS = ["The committee met on Tuesday.", "a terrible film", "中文也要能分词。"]


def _classifier(folder: Path, labels: tuple[str, ...]) -> Path:
    return tiny.build_tiny_classifier(folder, labels=labels)


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _classifier(tmp_path_factory.mktemp("judge"), ("neutral", "toxic"))


def test_the_score_is_the_probability_of_the_label_that_means_toxic(judge: Path) -> None:
    scorer = toxicity_scorer(str(judge), offline=True)
    model = AutoModelForSequenceClassification.from_pretrained(judge)
    tokenizer = AutoTokenizer.from_pretrained(judge)
    with torch.inference_mode():
        expected = [model(**tokenizer(text, return_tensors="pt")).logits.softmax(-1)[0, 1].item() for text in TEXTS]
    assert scorer.score(TEXTS) == pytest.approx(expected, abs=1e-5)
    assert scorer.score(["", TEXTS[1], "..."]) == [0.0, pytest.approx(expected[1], abs=1e-5), 0.0]


def test_the_label_can_be_named_and_is_part_of_the_identity(judge: Path) -> None:
    toxic, neutral = toxicity_scorer(str(judge), offline=True), toxicity_scorer(f"{judge}#neutral", offline=True)
    assert toxic.identity["label"] == "toxic"
    assert neutral.identity == {**toxic.identity, "label": "neutral"}
    assert sum(scorer.score(TEXTS[:1])[0] for scorer in (toxic, neutral)) == pytest.approx(1, abs=1e-5)


def test_a_model_of_the_wrong_kind_is_refused_in_one_line(tiny_llama: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is of the kind causal, not a classifier of texts") as raised:
        toxicity_scorer(str(tiny_llama), offline=True)
    assert "\n" not in str(raised.value)


def test_a_classifier_without_a_toxic_label_asks_for_one(tmp_path: Path, judge: Path) -> None:
    stars = _classifier(tmp_path, ("bad", "good"))
    with pytest.raises(CheckpointError, match="has no single label that means toxic among bad, good"):
        toxicity_scorer(str(stars), offline=True)
    with pytest.raises(CheckpointError, match="has no label named 'rude' among neutral, toxic"):
        toxicity_scorer(f"{judge}#rude", offline=True)


def test_a_run_without_toxicity_does_not_take_a_toxicity_model(tiny_llama: Path, judge: Path) -> None:
    options = EvalOptions(toxicity_model=str(judge), offline=True, meter="none")
    with pytest.raises(InputError, match="none of the tasks asked for scores toxicity"):
        plan(str(tiny_llama), suite=(), task="personal_data", options=options)


@pytest.mark.parametrize("name", ["profanity", "./profanity", "profanity/", "profanity#toxic", "{folder}/profanity"])
def test_a_folder_called_like_a_registered_scorer_is_told_from_it(
    tiny_llama: Path, judge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "profanity").symlink_to(judge)
    monkeypatch.chdir(tmp_path)
    options = EvalOptions(toxicity_model=name.format(folder=tmp_path), offline=True, meter="none")
    (task,) = plan(str(tiny_llama), suite=(), task="real_toxicity", options=options).spec.tasks
    by_folder = toxicity_scorer(str(judge), offline=True)
    assert task.definition["toxicity"] == (ProfanityScorer() if name == "profanity" else by_folder).identity


def test_another_toxicity_model_makes_another_run(tiny_llama: Path, judge: Path) -> None:
    own, other = (
        plan(
            str(tiny_llama),
            suite=(),
            task="over_refusal",
            options=EvalOptions(toxicity_model=model, offline=True, meter="none"),
        )
        for model in (None, str(judge))
    )
    assert own.spec.tasks[0].requests_sha256 == other.spec.tasks[0].requests_sha256
    assert own.spec.tasks[0].definition_sha256 != other.spec.tasks[0].definition_sha256
    assert own.spec.run_id != other.spec.run_id
