"""BERTScore against the package of its authors, on tiny random encoders."""

import json
import shutil
from pathlib import Path

import bert_score
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from harness.core.errors import CheckpointError, InputError
from harness.core.scorers import Match
from harness.run.options import EvalOptions
from harness.run.planning import plan
from harness.scorers.bertscore import bert_scorer, windows
from tests import tiny

PAIRS = [
    ("The committee met on Tuesday.", "The committee laughed in the rain on Tuesday."),
    ("over the lazy dog, by the river bank", "a quick brown fox"),
    ("中文也要能分词。", "模型应当公平。"),
    ("home", "home"),
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.build_tiny_encoder(tmp_path_factory.mktemp("encoder"))
    # The authors' package cuts texts at the length that the tokenizer names, and can't do without.
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_max_length": 64}))
    return folder


@pytest.mark.parametrize("layer", [1, 2])
def test_precision_recall_and_f1_are_those_of_the_authors_package(encoder: Path, layer: int) -> None:
    written, references = map(list, zip(*PAIRS, strict=True))
    found = bert_score.score(written, references, model_type=str(encoder), num_layers=layer, device="cpu")
    scorer = bert_scorer(f"{encoder}#{layer}", offline=True)
    ours = [scorer.match(*pair) for pair in PAIRS]
    for name, theirs in zip(("precision", "recall", "f1"), found, strict=True):
        assert [getattr(one, name) for one in ours] == pytest.approx(theirs.tolist(), abs=1e-5)


HEAD = "the committee met on tuesday to discuss energy water and schools " * 8


def test_what_lies_beyond_the_window_counts(encoder: Path) -> None:
    scorer = bert_scorer(str(encoder), offline=True)
    written, reference = HEAD + "everyone agreed and signed the treaty", HEAD + "nobody came home as rain fell"
    found = scorer.match(written, reference)
    assert max(found.precision, found.recall) < 1 - 1e-3
    assert scorer.match(written, written).f1 == pytest.approx(1, abs=1e-5)


def test_a_long_text_has_the_score_that_an_encoder_with_a_longer_window_gives(tmp_path: Path) -> None:
    # Two encoders of the same weights, neither of which looks at places or neighbours: windows change nothing.
    short_path = tiny.build_tiny_encoder(tmp_path / "short")
    model = BertModel.from_pretrained(short_path)
    torch.nn.init.zeros_(model.embeddings.position_embeddings.weight)
    for layer in model.encoder.layer:
        torch.nn.init.zeros_(layer.attention.output.dense.weight)
    model.save_pretrained(short_path)
    long_path = Path(shutil.copytree(short_path, tmp_path / "long"))
    longer = BertModel(BertConfig.from_pretrained(short_path, max_position_embeddings=512))
    longer.load_state_dict({**longer.state_dict(), **_without_places(model.state_dict())})
    torch.nn.init.zeros_(longer.embeddings.position_embeddings.weight)
    longer.save_pretrained(long_path)
    scorers = [bert_scorer(str(path), offline=True) for path in (short_path, long_path)]
    pair = HEAD + "over the river", "a quick brown fox and " + HEAD
    short, long = (scorer.match(*pair) for scorer in scorers)
    assert (short.precision, short.recall) == pytest.approx((long.precision, long.recall), abs=1e-5)
    assert short.f1 < 1


def _without_places(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weights for name, weights in state.items() if "position" not in name}


@given(count=st.integers(0, 400), room=st.integers(1, 90))
def test_every_token_is_read_once_in_a_window_that_holds_it(count: int, room: int) -> None:
    found = windows(count, room)
    owner = {place: index for index, (_, end, kept) in enumerate(found) for place in range(kept, end)}
    assert sorted(owner) == list(range(count))
    for place, index in owner.items():
        start, end, _ = found[index]
        assert start <= place < end <= start + room
        # A quarter of a window at least stands on either side, but for the ends of the text.
        assert min(place - start if start else room, end - 1 - place if end < count else room) >= room // 4 - 1


def test_a_text_without_a_token_is_like_none(encoder: Path) -> None:
    assert bert_scorer(str(encoder), offline=True).match("", "home") == Match(precision=0.0, recall=0.0, f1=0.0)


def test_the_last_layer_is_read_unless_another_is_named(encoder: Path) -> None:
    last = bert_scorer(str(encoder), offline=True)
    assert last.identity == bert_scorer(f"{encoder}#2", offline=True).identity
    with pytest.raises(CheckpointError, match=r"has no layer '3'.*Give one from 1 to 2"):
        bert_scorer(f"{encoder}#3", offline=True)


def test_a_masked_model_and_a_classifier_have_the_encoder_that_they_stand_on(tmp_path: Path) -> None:
    for build in (tiny.build_tiny_masked, tiny.build_tiny_classifier):
        path = build(tmp_path / build.__name__)
        assert bert_scorer(str(path), offline=True).match("home", "home").f1 == pytest.approx(1, abs=1e-5)


def test_a_model_without_an_encoder_is_refused(tiny_llama: Path) -> None:
    with pytest.raises(CheckpointError, match="of the kind causal"):
        bert_scorer(str(tiny_llama), offline=True)


def test_tasks_with_references_get_its_metrics_and_others_do_not_take_it(tiny_llama: Path, encoder: Path) -> None:
    options = EvalOptions(bertscore_model=f"{encoder}#1", offline=True, meter="none")
    bare = EvalOptions(offline=True, meter="none")
    with_it, without = (plan(str(tiny_llama), task="xsum_summary", suite=(), options=one) for one in (options, bare))
    names = [metric.name for metric in with_it.work[0].planned.task.metrics]
    assert names[-3:] == ["bertscore_precision", "bertscore_recall", "bertscore_f1"]
    assert with_it.spec.run_id != without.spec.run_id
    with pytest.raises(InputError, match="none of the tasks asked for compares a text"):
        plan(str(tiny_llama), task="piqa", suite=(), options=options)
