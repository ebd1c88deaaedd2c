"""Pseudo-log-likelihoods against one plain forward pass a token, with word boundaries read off the tokens' spelling."""

import math
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DebertaV2Config,
    FNetConfig,
    MobileBertConfig,
    ModernBertConfig,
    RobertaConfig,
)

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import ModelError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood, PseudoLoglikelihood
from harness.engine.kinds import masked
from harness.engine.kinds.masked import MaskedModel
from tests.tiny import build_tiny_mask_tokenizer, build_tiny_masked, build_tiny_sentencepiece, build_tiny_wordpiece

SIZES = {
    "vocab_size": 400,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "pad_token_id": 0,
}
MOBILE = {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16, "num_feedforward_networks": 1}
MODELS = {
    "bert": (None, build_tiny_wordpiece),
    "roberta": (RobertaConfig(**SIZES, max_position_embeddings=65), build_tiny_mask_tokenizer),
    "deberta": (
        DebertaV2Config(
            **SIZES, max_position_embeddings=64, relative_attention=True, pos_att_type=["p2c", "c2p"], legacy=False
        ),
        build_tiny_sentencepiece,
    ),
    "modernbert": (
        ModernBertConfig(
            **SIZES, max_position_embeddings=64, local_attention=8, global_attn_every_n_layers=2, bos_token_id=2
        ),
        build_tiny_mask_tokenizer,
    ),
    # Its Fourier transform mixes all positions, so that padding can't be told from text.
    "fnet": (
        FNetConfig(
            vocab_size=400, hidden_size=32, num_hidden_layers=2, intermediate_size=64, max_position_embeddings=64
        ),
        build_tiny_sentencepiece,
    ),
    "mobilebert": (MobileBertConfig(**SIZES, **MOBILE, max_position_embeddings=64), build_tiny_wordpiece),
}
TEXTS = [
    "The quick brown fox jumps over the lazy dog, by the river bank.",
    "Unbelievably, proposals about energy; water!",
    "She said that he would never go home again.",
    "He said that he would never go home again.",
    "中文也要能分词。",
]
PAIRS = [
    ("The committee met on Tuesday to discuss", " 1,024 proposals"),
    ("The committee met on Tuesday to discuss ", "water and schools"),
    ("", "Review: a wonderful film"),
    ("Passage: true, false. Answer:", " true"),
    ("Passage: true, false. Answer:", " false"),
]


@pytest.fixture(scope="module", params=MODELS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config, tokenizer = MODELS[request.param]
    return build_tiny_masked(tmp_path_factory.mktemp(request.param), config=config, tokenizer=tokenizer())


def opened(folder: Path, batch_tokens: int = 200) -> MaskedModel:
    return MaskedModel(load_model(resolve(str(folder)), dtype="float32", device="cpu"), batch_tokens=batch_tokens)


class Reference:
    """One masked copy at a time, straight from the paper, with transformers alone."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForMaskedLM.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)

    def score(self, text: str, first_character: int = 0) -> tuple[float, bool, int]:
        """Sum of log-probabilities of the tokens that end behind a character; whether each is the arg-max; how many."""
        encoded = self.tokenizer(text, return_offsets_mapping=True)
        ids = encoded["input_ids"]
        body = range(1, len(ids) - 1)
        total, greedy, count = 0.0, True, 0
        for place in body:
            if encoded["offset_mapping"][place][1] <= first_character:
                continue
            row = torch.tensor([ids])
            later = place + 1
            while later in body and not self.starts_word(text, ids, later):
                later += 1
            row[0, place:later] = self.tokenizer.mask_token_id
            with torch.no_grad():
                scores = self.model(input_ids=row).logits[0, place].log_softmax(-1)
            total += scores[ids[place]].item()
            greedy = greedy and scores.argmax().item() == ids[place]
            count += 1
        return total, greedy, count

    def starts_word(self, text: str, ids: list[int], place: int) -> bool:
        token = self.tokenizer.convert_ids_to_tokens(ids[place])
        kind = type(self.tokenizer.backend_tokenizer.model).__name__
        if kind == "WordPiece":
            return not token.startswith("##")
        if kind == "Unigram":
            return token.startswith("▁")
        # Byte-level BPE never joins what its pre-tokenizer parts.
        parts = self.tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str(text)
        begins = "".join(piece for piece, _ in parts)
        position = sum(len(self.tokenizer.convert_ids_to_tokens(number)) for number in ids[1:place])
        starts, reached = set(), 0
        for piece, _ in parts:
            starts.add(reached)
            reached += len(piece)
        assert reached == len(begins)
        return position in starts


def test_a_text_scores_as_one_plain_forward_pass_a_token_gives(folder):
    reference = Reference(folder)
    answers = {
        response.request_id: response
        for response in respond(opened(folder), [PseudoLoglikelihood(text=text) for text in TEXTS])
    }
    for text in TEXTS:
        total, _, count = reference.score(text)
        response = answers[PseudoLoglikelihood(text=text).id]
        assert response.loglikelihood == pytest.approx(total, abs=1e-4)
        assert response.token_count == count


def test_a_continuation_scores_given_its_context(folder):
    reference = Reference(folder)
    requests = [Loglikelihood(context=context, continuation=continuation) for context, continuation in PAIRS]
    answers = {response.request_id: response for response in respond(opened(folder), requests)}
    for request in requests:
        total, greedy, count = reference.score(
            request.context + request.continuation, len(request.context.rstrip()) if request.context else 0
        )
        response = answers[request.id]
        assert response.loglikelihood == pytest.approx(total, abs=1e-4)
        assert (response.is_greedy, response.token_count) == (greedy, count)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_masked(tmp_path_factory.mktemp("bert"))


def test_the_words_of_the_tests_have_several_pieces(bert):
    tokens = AutoTokenizer.from_pretrained(bert).tokenize(" ".join(TEXTS))
    assert sum(token.startswith("##") for token in tokens) >= 5


def test_only_the_likeliest_token_is_greedy(bert):
    model = opened(bert)
    with torch.no_grad():
        model.model.get_output_embeddings().bias[AutoTokenizer.from_pretrained(bert).vocab["rain"]] = 1000
    rain = Loglikelihood(context="he said", continuation=" rain")
    other = Loglikelihood(context="he said", continuation=" that")
    answers = {response.request_id: response.is_greedy for response in respond(model, [rain, other])}
    assert answers == {rain.id: True, other.id: False}


def test_copies_that_two_sentences_share_are_read_once(bert):
    """Two sentences that differ in one token are the same where that token is masked."""
    requests = [PseudoLoglikelihood(text=f"he said {word} rain") for word in ("he", "that")]
    (batch,) = opened(bert, 4096).plan(requests)
    length = len(AutoTokenizer.from_pretrained(bert)("he said that rain")["input_ids"])
    assert batch.asked_token_count - batch.computed_token_count == length


def test_a_long_text_is_read_in_windows_around_each_token(bert):
    text = "she said that he would never go home again they both laughed and walked on through the rain " * 6
    reference = Reference(bert)
    ids = reference.tokenizer(text)["input_ids"]
    room = 64 - 2
    total, body = 0.0, ids[1:-1]
    ends = [not reference.tokenizer.convert_ids_to_tokens(number).startswith("##") for number in body]
    for place, number in enumerate(body):
        later = next((index for index in range(place + 1, len(body)) if ends[index]), len(body))
        start = min(max(place - room // 2, 0), len(body) - room)
        window = [
            reference.tokenizer.mask_token_id if place <= index < later else body[index] for index in range(len(body))
        ]
        row = torch.tensor([[ids[0], *window[start : start + room], ids[-1]]])
        with torch.no_grad():
            total += reference.model(input_ids=row).logits[0, 1 + place - start].log_softmax(-1)[number].item()
    (response,) = respond(opened(bert), [PseudoLoglikelihood(text=text)])
    assert response.loglikelihood == pytest.approx(total, abs=1e-3)
    assert (response.token_count, response.context_token_count) == (len(body), 64)


def test_a_context_that_is_too_long_loses_its_beginning(bert):
    tail = " ".join(["home"] * 61)
    asked = [Loglikelihood(context=f"{begin} {tail}", continuation=" rain") for begin in ("he said", "she walked on")]
    first, second = respond(opened(bert), asked)
    assert first.loglikelihood == second.loglikelihood


def test_a_continuation_longer_than_the_window_has_no_score_and_says_why(bert):
    (response,) = respond(opened(bert), [Loglikelihood(context="he", continuation=" rain" * 70)])
    assert response.loglikelihood is None
    assert "longer than the model's window" in response.invalid


def test_a_mask_in_the_text_is_read_and_not_predicted(bert):
    masked_once, plain = respond(
        opened(bert), [PseudoLoglikelihood(text="he said [MASK] rain"), PseudoLoglikelihood(text="he said that rain")]
    )
    assert {masked_once.token_count, plain.token_count} == {3, 4}


def test_weights_that_give_no_numbers_are_no_score(bert):
    model = opened(bert)
    with torch.no_grad():
        model.model.get_output_embeddings().bias.fill_(math.inf)
    (response,) = respond(model, [PseudoLoglikelihood(text="he said")])
    assert response.loglikelihood is None
    assert "NaN or infinite" in response.invalid


def test_a_lack_of_memory_halves_the_batch_and_changes_no_score(bert, monkeypatch):
    requests = [PseudoLoglikelihood(text=text) for text in TEXTS]
    expected = {response.request_id: response.loglikelihood for response in respond(opened(bert, 4096), requests)}
    whole = masked.logits_at

    def small_memory(model, arguments, positions):
        if arguments["input_ids"].numel() > 100:
            raise RuntimeError("CUDA out of memory.")
        return whole(model, arguments, positions)

    monkeypatch.setattr(masked, "logits_at", small_memory)
    for response in respond(opened(bert, 4096), requests):
        assert response.loglikelihood == pytest.approx(expected[response.request_id], abs=1e-4)

    def no_memory(model, arguments, positions):
        raise MemoryError

    model = opened(bert)
    list(respond(model, requests[1:]))
    monkeypatch.setattr(masked, "logits_at", no_memory)
    (response,) = respond(model, requests[:1])
    assert "out of memory" in response.invalid


def test_what_a_masked_model_is_not_for_is_refused(bert):
    with pytest.raises(ModelError, match="generate_until"):
        opened(bert).plan([GenerateUntil(context="Once")])


def test_a_tokenizer_without_a_mask_is_refused(bert):
    loaded = load_model(resolve(str(bert)), dtype="float32", device="cpu")
    loaded.tokenizer.mask_token = None
    with pytest.raises(ModelError, match="no mask token"):
        MaskedModel(loaded, batch_tokens=100)
