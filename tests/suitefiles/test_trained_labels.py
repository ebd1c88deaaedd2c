"""Models trained for seconds on real data, evaluated on other rows of it by the whole pipeline."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from seqeval.metrics import f1_score as entity_f1
from sklearn.metrics import accuracy_score, f1_score
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
)

from harness import evaluate
from harness.core.datasets import Row
from harness.core.scores import Estimate
from harness.data import find, load_data
from harness.run.options import EvalOptions
from tests.tiny import SPECIAL

LABELS = ("encyclopaedic", "toxic")
TAGS = ["O", *(f"{prefix}-{type_}" for type_ in ("PER", "LOC", "ORG", "MISC") for prefix in "BI")]

pytestmark = pytest.mark.slow


def _tokenizer(texts: Sequence[str], *, lowercase: bool) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=1500, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **dict(zip(names, SPECIAL, strict=True)))


def _config(labels: Sequence[str]) -> BertConfig:
    return BertConfig(
        vocab_size=1500,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=256,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )


def _fit(model: Any, batches: Sequence[Any], epochs: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for _ in range(epochs):
        for batch in batches:
            optimizer.zero_grad()
            model(**batch).loss.backward()
            optimizer.step()
    model.eval()


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A classifier that tells toxic sentences from an encyclopaedia's, and sentences that it hasn't seen."""
    sources = [load_data(find(name)).rows[:200] for name in ("wikitext_sentences", "real_toxicity_prompts")]
    rows = [
        {"text": row["text"], "label": label} for pair in zip(*sources, strict=True) for label, row in enumerate(pair)
    ]
    train, held = rows[:300], rows[300:]
    torch.manual_seed(0)
    tokenizer = _tokenizer([row["text"] for row in train], lowercase=True)
    model = BertForSequenceClassification(_config(LABELS))
    batches = [
        {
            **tokenizer(
                [row["text"] for row in train[start : start + 10]],
                truncation=True,
                max_length=64,
                padding=True,
                return_tensors="pt",
            ),
            "labels": torch.tensor([int(row["label"]) for row in train[start : start + 10]]),
        }
        for start in range(0, len(train), 10)
    ]
    _fit(model, batches, 2)
    return _saved(tmp_path_factory.mktemp("texts"), model, tokenizer), held


@pytest.fixture(scope="session")
def news(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A tagger of names in news, and sentences that it hasn't seen."""
    rows = list(load_data(find("conll2003")).rows)
    train, held = rows[::2], rows[1::2]
    torch.manual_seed(0)
    tokenizer = _tokenizer([" ".join(row["tokens"]) for row in train], lowercase=False)
    model = BertForTokenClassification(_config(TAGS))
    batches = []
    for row in train:
        encoded = tokenizer(list(row["tokens"]), is_split_into_words=True, return_tensors="pt")
        owners = encoded.word_ids(0)
        firsts = [owner is not None and owner not in owners[:place] for place, owner in enumerate(owners)]
        labels = [
            TAGS.index(row["tags"][owner]) if first else -100 for owner, first in zip(owners, firsts, strict=True)
        ]
        batches.append({**encoded, "labels": torch.tensor([labels])})
    _fit(model, batches, 6)
    return _saved(tmp_path_factory.mktemp("news"), model, tokenizer), held


def _saved(folder: Path, model: Any, tokenizer: PreTrainedTokenizerFast) -> Path:
    model.save_pretrained(folder)
    tokenizer.model_max_length = 256
    tokenizer.save_pretrained(folder)
    return folder


def _evaluated(folder: Path, model: Path, suite: str, rows: Sequence[Row]) -> dict[str, Estimate]:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "mine.yaml").write_text(suite)
    options = EvalOptions(output=folder / "runs", meter="none")
    record = evaluate(str(model), suite=str(folder / "mine.yaml"), limit="all", options=options)
    return {estimate.metric: estimate for estimate in record.estimate_list}


def _predicted(rows: Sequence[Row], one: Callable[[Row], Any]) -> list[Any]:
    with torch.no_grad():
        return [one(row) for row in rows]


def test_a_trained_classifier_is_better_than_chance_and_its_scores_are_scikit_learns(
    texts: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, held = texts
    suite = (
        "tasks:\n  - {name: tone, type: classify, data: rows.jsonl, text: text, gold: label, "
        "labels: [encyclopaedic, toxic]}\n"
    )
    found = _evaluated(tmp_path, folder, suite, held)
    model = BertForSequenceClassification.from_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)

    def label(row: Row) -> str:
        encoded = tokenizer(row["text"], truncation=True, max_length=256, return_tensors="pt")
        return LABELS[int(model(**encoded).logits.argmax())]

    gold, predicted = [LABELS[int(row["label"])] for row in held], _predicted(held, label)
    assert found["acc"].value == pytest.approx(accuracy_score(gold, predicted))
    assert found["macro_f1"].value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert found["acc"].low is not None
    assert found["acc"].low > 0.5


def test_a_trained_tagger_finds_entities_and_its_scores_are_seqevals(
    news: tuple[Path, list[Row]], tmp_path: Path
) -> None:
    folder, held = news
    suite = "tasks:\n  - {name: names, type: tag, data: rows.jsonl, types: [PER, LOC, ORG, MISC]}\n"
    found = _evaluated(tmp_path, folder, suite, held)
    model = BertForTokenClassification.from_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)

    def tags(row: Row) -> list[str]:
        encoded = tokenizer(list(row["tokens"]), is_split_into_words=True, return_tensors="pt")
        best, owners = model(**encoded).logits[0].argmax(-1).tolist(), encoded.word_ids(0)
        return [TAGS[best[owners.index(word)]] for word in range(len(row["tokens"]))]

    expected = entity_f1([list(row["tags"]) for row in held], _predicted(held, tags))
    assert found["f1"].value == pytest.approx(expected)
    assert found["f1"].low is not None
    assert found["f1"].low > 0.2
