"""The encoder-decoder engine against plain transformers and against lm-evaluation-harness's `hf` of that backend."""

import random
from dataclasses import replace

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer, M2M100Config, MarianConfig, NllbTokenizer, T5Config

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import HarnessError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood
from harness.engine.kinds.seq2seq import Seq2SeqModel
from tests import tiny
from tests.engine.reference import answers

CONTEXTS = ("Question: Where does the fox jump?\nAnswer:", "The committee met on Tuesday ", "中文也要能分词。", "x")
PAIRS = [
    Loglikelihood(context=context, continuation=continuation)
    for context in CONTEXTS
    for continuation in (" over the lazy dog", " rain", " positive, or so they said", "。")
]
PROMPTS = [GenerateUntil(context=context, max_tokens=12) for context in CONTEXTS]
SIZES = {"vocab_size": 400, "d_model": 32, "pad_token_id": 0, "eos_token_id": 3, "forced_eos_token_id": None}
CONFIGS = {
    "bart": tiny.tiny_bart_config(),
    "t5": T5Config(
        **SIZES, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0, initializer_factor=0.5
    ),
    "marian": MarianConfig(
        **SIZES,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        decoder_start_token_id=0,
    ),
}


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request, tmp_path_factory):
    folder = tiny.build_tiny_seq2seq(tmp_path_factory.mktemp(request.param), config=CONFIGS[request.param])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # lm-evaluation-harness can't do without an end-of-text token.
    tokenizer.bos_token, tokenizer.eos_token = "[CLS]", "[SEP]"
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def loaded(folder):
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


def plain(loaded, pair):
    """The log-likelihood by one forward pass of transformers for this pair alone, the labels shifted by hand."""
    bare = pair.context.rstrip()
    source = loaded.tokenizer(bare, return_tensors="pt").input_ids
    targets = loaded.tokenizer(
        pair.context[len(bare) :] + pair.continuation, return_tensors="pt", add_special_tokens=False
    ).input_ids
    begun = torch.tensor([[loaded.model.config.decoder_start_token_id, *targets[0, :-1].tolist()]])
    with torch.no_grad():
        logits = loaded.model(input_ids=source, decoder_input_ids=begun).logits[0].double().log_softmax(-1)
    total = logits.gather(-1, targets[0][:, None]).sum().item()
    return total, bool((logits.argmax(-1) == targets[0]).all())


def test_loglikelihoods_equal_the_plain_way_at_any_budget_and_order(loaded):
    for budget in (1, 64, 10_000):
        found = answers(Seq2SeqModel(loaded, batch_tokens=budget), random.Random(budget).sample(PAIRS, len(PAIRS)))
        for pair in PAIRS:
            total, greedy = plain(loaded, pair)
            assert found[pair.id].loglikelihood == pytest.approx(total, abs=1e-4)
            assert found[pair.id].is_greedy == greedy


def test_loglikelihoods_equal_those_of_lm_eval(loaded, folder):
    hf = HFLM(pretrained=str(folder), backend="seq2seq", dtype="float32", batch_size=4, device="cpu")
    found = answers(Seq2SeqModel(loaded, batch_tokens=500), PAIRS)
    theirs = hf.loglikelihood([Instance("loglikelihood", {}, (p.context, p.continuation), 0) for p in PAIRS], True)
    for pair, (loglikelihood, greedy) in zip(PAIRS, theirs, strict=True):
        assert found[pair.id].loglikelihood == pytest.approx(loglikelihood, abs=1e-4)
        assert found[pair.id].is_greedy == greedy


@pytest.mark.parametrize("num_beams", [1, 4])
def test_what_is_written_equals_what_transformers_writes_of_each_prompt_alone(loaded, num_beams):
    prompts = [replace(prompt, num_beams=num_beams) for prompt in PROMPTS]
    for budget in (1, 10_000):
        found = answers(Seq2SeqModel(loaded, batch_tokens=budget), prompts)
        for prompt in prompts:
            source = loaded.tokenizer(prompt.context, return_tensors="pt")
            written = loaded.model.generate(
                **{name: source[name] for name in ("input_ids", "attention_mask")},
                max_new_tokens=12,
                num_beams=num_beams,
                do_sample=False,
            )[0, 1:].tolist()
            end = written.index(3) if 3 in written else len(written)
            assert list(found[prompt.id].token_ids) == written[:end]


def test_beams_write_something_else_than_greedy_writing(loaded):
    model = Seq2SeqModel(loaded, batch_tokens=10_000)
    written = {}
    for num_beams in (1, 6):
        found = answers(model, [replace(prompt, num_beams=num_beams, max_tokens=4) for prompt in PROMPTS])
        written[num_beams] = [response.token_ids for response in found.values()]
    assert written[1] != written[6]


def test_writing_ends_at_a_stop_string_which_is_cut_off(loaded):
    model = Seq2SeqModel(loaded, batch_tokens=10_000)
    (free,) = respond(model, [PROMPTS[0]])
    stop = free.text[3:5]
    (stopped,) = respond(model, [replace(PROMPTS[0], until=(stop,))])
    assert stopped.text == free.text[: free.text.index(stop)]
    assert stopped.token_ids == free.token_ids[: len(stopped.token_ids)]
    assert len(stopped.token_ids) < len(free.token_ids)


def test_samples_depend_on_their_seed_alone(loaded):
    def draw(budget):
        requests = [replace(PROMPTS[0], temperature=1.0, top_p=0.9, seed=seed) for seed in range(5)]
        found = answers(Seq2SeqModel(loaded, batch_tokens=budget), requests)
        return [found[request.id].token_ids for request in requests]

    assert draw(1) == draw(10_000)
    assert len(set(draw(1))) > 1


def test_the_encoder_reads_a_source_once_for_all_its_targets(loaded):
    (batch,) = Seq2SeqModel(loaded, batch_tokens=10_000).plan(PAIRS[:4])
    source = len(loaded.tokenizer(PAIRS[0].context).input_ids)
    assert batch.asked_token_count - batch.computed_token_count == 3 * source


def test_a_long_context_loses_its_beginning_and_keeps_its_special_tokens(loaded):
    model = Seq2SeqModel(loaded, batch_tokens=5000)
    model.max_length = 16
    long = Loglikelihood(context="a b " * 90 + "the river", continuation=" bank")
    (batch,) = model.plan([long])
    source = list(model._sources[long.id])
    whole = loaded.tokenizer(long.context).input_ids
    assert len(source) == 16
    assert source[0] == whole[0]
    assert source[2:] == whole[-14:]
    assert model.answer(batch)[0].invalid is None


def test_nan_logits_make_answers_invalid_never_numbers(folder):
    loaded = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    with torch.no_grad():
        for parameter in loaded.model.get_decoder().parameters():
            parameter.fill_(float("nan"))
    requests = [PAIRS[0], PROMPTS[0], replace(PROMPTS[0], temperature=1.0)]
    for response in respond(Seq2SeqModel(loaded, batch_tokens=500), requests):
        assert response.invalid == "the model's logits are NaN or infinite"
        assert (response.loglikelihood, response.text) == (None, None)


LANGUAGES = ["eng_Latn", "fra_Latn", "zho_Hans"]


@pytest.fixture(scope="module")
def nllb(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nllb")
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz.,?:"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = NllbTokenizer(vocab=vocabulary, extra_special_tokens=LANGUAGES, src_lang="eng_Latn")
    config = M2M100Config(
        vocab_size=64,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        pad_token_id=1,
        eos_token_id=2,
        bos_token_id=0,
        decoder_start_token_id=2,
    )
    tiny.build_tiny_seq2seq(folder, config=config)
    for file in folder.glob("*token*"):
        file.unlink()
    tokenizer.save_pretrained(folder)
    return folder


def _spoken(folder, source, target):
    checkpoint = replace(resolve(str(folder)), source_language=source, target_language=target)
    return load_model(checkpoint, dtype="float32", device="cpu")


def test_language_codes_are_read_before_the_source_and_the_target(nllb):
    loaded = _spoken(nllb, "zho_Hans", "fra_Latn")
    model = Seq2SeqModel(loaded, batch_tokens=1000)
    pair, prompt = Loglikelihood(context="where", continuation=" there"), GenerateUntil(context="where", max_tokens=8)
    found = answers(model, [pair, prompt])
    loaded.tokenizer.src_lang = "zho_Hans"
    source = loaded.tokenizer("where", return_tensors="pt").input_ids
    code, french = (loaded.tokenizer.convert_tokens_to_ids(name) for name in ("zho_Hans", "fra_Latn"))
    assert source[0, 0] == code
    targets = loaded.tokenizer(" there", add_special_tokens=False, return_tensors="pt").input_ids[0]
    with torch.no_grad():
        begun = torch.tensor([[2, french, *targets[:-1].tolist()]])
        logits = loaded.model(input_ids=source, decoder_input_ids=begun).logits[0, 1:].log_softmax(-1)
        written = loaded.model.generate(source, forced_bos_token_id=french, max_new_tokens=9, do_sample=False)
    assert found[pair.id].loglikelihood == pytest.approx(logits.gather(-1, targets[:, None]).sum().item(), abs=1e-4)
    assert written[0, 1] == french
    assert list(found[prompt.id].token_ids) == [token for token in written[0, 2:].tolist() if token != 2]


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("eng_Latn", "fra_Lat", "did you mean fra_Latn"),
        ("english", "fra_Latn", "no such language among its 3"),
        ("eng_Latn", None, "isn't named"),
    ],
)
def test_an_unknown_or_missing_language_is_told_with_those_near_it(nllb, source, target, said):
    with pytest.raises(HarnessError, match=said) as caught:
        Seq2SeqModel(_spoken(nllb, source, target), batch_tokens=100)
    assert "\n" not in str(caught.value)


def test_a_language_for_a_tokenizer_without_languages_is_refused(folder):
    with pytest.raises(HarnessError, match="has no language codes"):
        Seq2SeqModel(_spoken(folder, None, "fra_Latn"), batch_tokens=100)
