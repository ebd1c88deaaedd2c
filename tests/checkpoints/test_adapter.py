"""Adapters against peft itself: merged models for those that change layers, plain forward passes for prompts."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.adapter import CONFIG, WEIGHTS
from harness.checkpoints.chat_templates import template_folder
from harness.checkpoints.loading.loader import Loader, load_model
from harness.core.errors import CheckpointError
from harness.core.models import respond
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling
from harness.engine.kinds.causal import CausalModel
from harness.examine.inspection import inspect_checkpoint
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate_each
from tests.tiny import build_tiny_checkpoint, build_tiny_tokenizer, tiny_llama_config

LAYERS = ["q_proj", "v_proj", "up_proj"]
CONFIGS = {
    "lora": peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=LAYERS),
    "other-lora": peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["k_proj", "down_proj"]),
    "dora": peft.LoraConfig(task_type="CAUSAL_LM", r=4, use_dora=True, target_modules=LAYERS),
    "with-head": peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=LAYERS, modules_to_save=["lm_head"]),
    "untyped": peft.LoraConfig(r=4, target_modules=LAYERS),
    "embeddings": peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=[*LAYERS, "embed_tokens", "lm_head"]),
    "tokens": peft.LoraConfig(
        task_type="CAUSAL_LM", r=4, target_modules=LAYERS, trainable_token_indices=[5, 40, 41, 300]
    ),
    "ia3": peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]
    ),
    "prompt": peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
    "prefix": peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
    "p-tuning": peft.PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=4, encoder_hidden_size=16),
}
TUNERS = ["lora", "other-lora", "dora", "with-head", "untyped", "embeddings", "tokens", "ia3"]
PROMPTS = ["prompt", "prefix", "p-tuning"]

REQUESTS = [
    *(Loglikelihood(context="Question: Where does the quick fox", continuation=end) for end in (" jump", " go", "")),
    Loglikelihood(context="", continuation="The committee"),
    LoglikelihoodRolling(text="She said that he would never go home again"),
    *(GenerateUntil(context=text, max_tokens=4) for text in ("The", "The committee met on Tuesday", "中文")),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory, tiny_llama) -> Path:
    """A base and one adapter of each kind over it, trained by chance."""
    folder = tmp_path_factory.mktemp("adapters")
    shutil.copytree(tiny_llama, folder / "base")
    for seed, (name, config) in enumerate(CONFIGS.items()):
        torch.manual_seed(seed)
        adapted = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(folder / "base"), config)
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
        adapted.save_pretrained(folder / name)
    return folder


@pytest.fixture
def adapter(home, tmp_path) -> Path:
    """A copy of an adapter, to be spoilt, with its base next to it."""
    shutil.copytree(home / "base", tmp_path / "base")
    folder = Path(shutil.copytree(home / "lora", tmp_path / "adapter"))
    change(folder, base_model_name_or_path="../base")
    return folder


def answers(loaded, tokens=64):
    model = CausalModel(loaded, batch_tokens=tokens)
    return model, {response.request_id: response for response in respond(model, REQUESTS)}


def opened(ref, **options):
    return load_model(resolve(str(ref), **options), dtype="float32", device="cpu")


@pytest.mark.parametrize("name", TUNERS)
def test_an_adapter_answers_on_the_packed_way_as_the_merged_model_does(home, name, tmp_path):
    base = AutoModelForCausalLM.from_pretrained(home / "base")
    peft.PeftModel.from_pretrained(base, home / name).merge_and_unload().save_pretrained(tmp_path)
    build_tiny_tokenizer().save_pretrained(tmp_path)
    _, expected = answers(opened(tmp_path))
    model, found = answers(opened(home / name))
    assert model.plain_reason is None
    for request in REQUESTS:
        assert found[request.id].loglikelihood == pytest.approx(expected[request.id].loglikelihood, abs=1e-4)
        assert found[request.id].text == expected[request.id].text
    _, of_base = answers(opened(home / "base"))
    assert abs(of_base[REQUESTS[0].id].loglikelihood - found[REQUESTS[0].id].loglikelihood) > 0.01


@pytest.mark.parametrize("size", [402, 390])
@pytest.mark.parametrize("saved", [{}, {"modules_to_save": ["embed_tokens", "lm_head"]}])
def test_an_adapter_trained_with_more_or_fewer_tokens_answers_as_the_merged_model_does(home, tmp_path, size, saved):
    base = AutoModelForCausalLM.from_pretrained(home / "base")
    base.resize_token_embeddings(size)
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=LAYERS, **saved)
    peft.get_peft_model(base, config).save_pretrained(tmp_path / "adapter", save_embedding_layers=True)
    tokenizer = build_tiny_tokenizer(vocab_size=390)
    tokenizer.add_tokens([f"<new{number}>" for number in range(size - 390)])
    tokenizer.save_pretrained(tmp_path / "adapter")
    again = AutoModelForCausalLM.from_pretrained(home / "base")
    again.resize_token_embeddings(size)
    merged = peft.PeftModel.from_pretrained(again, tmp_path / "adapter").merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    tokenizer.save_pretrained(tmp_path / "merged")
    found = answers(opened(tmp_path / "adapter", base=str(home / "base")))[1]
    assert_same(found, answers(opened(tmp_path / "merged"))[1])


def test_an_adapter_with_more_tokens_and_no_head_for_them_is_refused(home, tmp_path):
    base = AutoModelForCausalLM.from_pretrained(home / "base")
    base.resize_token_embeddings(402)
    peft.get_peft_model(base, CONFIGS["lora"]).save_pretrained(tmp_path, save_embedding_layers=True)
    tensors = load_file(tmp_path / WEIGHTS)
    save_file({name: tensor for name, tensor in tensors.items() if "lm_head" not in name}, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"402 tokens over a base that has 400.*save_embedding_layers"):
        opened(tmp_path, base=str(home / "base"))


@pytest.mark.parametrize("name", PROMPTS)
@pytest.mark.parametrize("tokens", [16, 4096])
def test_trained_vectors_before_a_text_answer_as_peft_does_with_one_text_at_a_time(home, name, tokens):
    adapted = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(home / "base"), home / name).eval()
    tokenizer = AutoTokenizer.from_pretrained(home / "base")
    model, found = answers(opened(home / name), tokens)
    assert model.plain_reason
    for request in REQUESTS[:2]:
        context = tokenizer(request.context)["input_ids"]
        whole = tokenizer(request.context + request.continuation)["input_ids"]
        with torch.inference_mode():
            logits = adapted(input_ids=torch.tensor([whole]), attention_mask=torch.ones(1, len(whole)).long()).logits
        rows = logits[0, -len(whole) :].log_softmax(-1)
        expected = sum(float(rows[at - 1, whole[at]]) for at in range(len(context), len(whole)))
        assert found[request.id].loglikelihood == pytest.approx(expected, abs=1e-4)
    for request in REQUESTS[-3:]:
        ids = tokenizer(request.context)["input_ids"]
        start = len(ids)
        with torch.inference_mode():
            for _ in range(request.max_tokens):
                mask = torch.ones(1, len(ids)).long()
                ids.append(int(adapted(input_ids=torch.tensor([ids]), attention_mask=mask).logits[0, -1].argmax()))
                if ids[-1] == tokenizer.eos_token_id:
                    break
        assert found[request.id].text == tokenizer.decode(ids[start:], skip_special_tokens=True)


def test_several_adapters_share_one_base_and_answer_as_each_alone(home):
    loader = Loader()
    for name in ("lora", "other-lora", "prefix", "dora", "untyped", "ia3", "prompt", "lora"):
        loaded = loader.load(resolve(str(home / name)), dtype="float32", device="cpu")
        assert_same(answers(loaded)[1], answers(opened(home / name))[1])
    assert loader.loads == 1


def assert_same(found, expected):
    for request in REQUESTS:
        assert found[request.id].loglikelihood == pytest.approx(expected[request.id].loglikelihood, abs=1e-5)
        assert found[request.id].text == expected[request.id].text


def test_another_base_and_another_dtype_are_loaded_anew(home):
    loader = Loader()
    for ref, dtype in (("lora", "float32"), ("lora", "bfloat16"), ("base", "bfloat16"), ("lora", "bfloat16")):
        loader.load(resolve(str(home / ref)), dtype=dtype, device="cpu")
    assert loader.loads == 4


@pytest.mark.parametrize(
    "changes", [{"init_lora_weights": "pissa"}, {"modules_to_save": ["lm_head"]}, {"trainable_token_indices": [5, 6]}]
)
def test_a_base_that_an_adapter_changes_for_good_is_given_to_no_other(home, tmp_path, changes):
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=LAYERS, **changes)
    peft.get_peft_model(AutoModelForCausalLM.from_pretrained(home / "base"), config).save_pretrained(tmp_path)
    loader = Loader()
    for ref in (tmp_path, home / "lora"):
        loaded = loader.load(resolve(str(ref), base=str(home / "base")), dtype="float32", device="cpu")
    assert loader.loads == 2
    assert_same(answers(loaded)[1], answers(opened(home / "lora"))[1])


def test_the_record_gets_what_compression_costs(home):
    base, adapter = resolve(str(home / "base")), resolve(str(home / "lora"))
    assert adapter.parent_fingerprint == base.fingerprint != adapter.fingerprint
    assert base.bits_per_weight == adapter.bits_per_weight == 32
    assert adapter.size_bytes == base.size_bytes + (home / "lora" / WEIGHTS).stat().st_size
    numbers = sum(tensor.size for tensor in load_file(home / "lora" / WEIGHTS).values())
    assert adapter.parameter_count == base.parameter_count + numbers
    assert resolve(str(home / "prompt")).max_length == base.max_length - 5


def test_the_fingerprint_is_of_base_and_adapter(home, adapter, tmp_path):
    first = resolve(str(adapter))
    tensors = load_file(adapter / WEIGHTS)
    name = next(iter(tensors))
    save_file({**tensors, name: tensors[name] + 1}, adapter / WEIGHTS)
    second = resolve(str(adapter))
    other = resolve(str(adapter), base=str(build_tiny_checkpoint(tmp_path / "other", seed=7)))
    assert len({first.fingerprint, second.fingerprint, other.fingerprint}) == 3


def test_a_base_is_found_beside_the_adapter_and_given_by_the_user(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path(shutil.copytree(home / "lora", tmp_path / "adapter"))
    change(folder, base_model_name_or_path="../base")
    with pytest.raises(CheckpointError, match="--base"):
        resolve(str(folder))
    assert resolve(str(folder), base=str(home / "base")).fingerprint
    shutil.copytree(home / "base", tmp_path / "base")
    assert resolve(str(folder)).parent_fingerprint == resolve(str(home / "base")).fingerprint


def test_a_tokenizer_in_the_adapters_folder_wins(adapter):
    build_tiny_tokenizer(vocab_size=410).save_pretrained(adapter)
    with pytest.raises(CheckpointError, match="token id 409"):
        opened(adapter)
    build_tiny_tokenizer(vocab_size=350).save_pretrained(adapter)
    assert len(opened(adapter).tokenizer) == 350


def test_the_template_that_is_shown_is_the_one_in_use(adapter):
    assert template_folder(resolve(str(adapter))) == (adapter.parent / "base").resolve()
    own = build_tiny_tokenizer(vocab_size=350)
    own.chat_template = "{{ messages[0]['content'] }}"
    own.save_pretrained(adapter)
    checkpoint = resolve(str(adapter))
    assert template_folder(checkpoint) == adapter.resolve()
    assert opened(adapter).tokenizer.chat_template == own.chat_template
    shown = inspect_checkpoint(str(adapter), offline=True).chat_template_sha256
    assert shown == hashlib.sha256(own.chat_template.encode()).hexdigest()


def test_a_whole_checkpoint_says_what_it_was_made_from_where_the_user_tells(home, tmp_path):
    other = build_tiny_checkpoint(tmp_path, seed=3)
    checkpoint = resolve(str(other), base=str(home / "base"))
    assert checkpoint.parent_fingerprint == resolve(str(home / "base")).fingerprint


def change(folder: Path, **fields: object) -> None:
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, **fields}))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_model_name_or_path": None}, "names no base model"),
        (
            {"base_model_name_or_path": "/nowhere/at/all"},
            r"names '/nowhere/at/all' as its base.*add --base /nowhere/at/all",
        ),
        ({"peft_type": "XLORA"}, "peft_type is 'XLORA'"),
        ({"peft_type": ["LORA"]}, "peft_type is"),
        ({"peft_type": None}, "peft_type is None"),
        ({"megatron_config": {}}, "megatron_config"),
        ({"peft_type": "PROMPT_TUNING", "num_virtual_tokens": -1}, "num_virtual_tokens is -1"),
    ],
)
def test_a_config_that_cannot_be_used_is_one_clear_line(adapter, fields, words):
    change(adapter, **fields)
    with pytest.raises(CheckpointError, match=words) as raised:
        resolve(str(adapter))
    assert "\n" not in str(raised.value)


def test_weights_that_are_missing_or_a_pickle_are_refused(adapter):
    (adapter / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match="weights are missing"):
        resolve(str(adapter))
    (adapter / "adapter_model.bin").write_bytes(b"\x80")
    with pytest.raises(CheckpointError, match="pickle"):
        resolve(str(adapter))


def test_an_adapter_over_an_adapter_is_refused(home, adapter):
    other = Path(shutil.copytree(home / "dora", adapter.parent / "dora"))
    change(other, base_model_name_or_path="../base")
    change(adapter, base_model_name_or_path="../dora")
    with pytest.raises(CheckpointError, match="is an adapter too"):
        resolve(str(adapter))


def test_weights_that_are_not_numbers_are_refused(adapter):
    tensors = load_file(adapter / WEIGHTS)
    name = sorted(tensors)[0]
    tensors[name] = np.full_like(tensors[name], np.nan)
    save_file(tensors, adapter / WEIGHTS)
    with pytest.raises(CheckpointError, match="NaN"):
        opened(adapter)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("lora", {"hidden_size": 48, "intermediate_size": 96}, "doesn't fit its base.*size mismatch"),
        ("lora", {"num_hidden_layers": 1}, "no place for"),
        ("lora", {"num_hidden_layers": 3}, "is missing"),
        ("prompt", {"hidden_size": 48, "intermediate_size": 96}, "doesn't fit its base"),
        ("p-tuning", {"hidden_size": 48, "intermediate_size": 96}, "doesn't fit its base"),
        ("prefix", {"hidden_size": 64, "intermediate_size": 96}, "doesn't fit its base"),
        ("prefix", {"num_hidden_layers": 3}, "doesn't fit its base"),
    ],
)
def test_a_base_of_another_shape_is_refused(home, tmp_path, name, changes, words):
    base = build_tiny_checkpoint(tmp_path, config=tiny_llama_config(**changes))
    with pytest.raises(CheckpointError, match=words) as raised:
        opened(home / name, base=str(base))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("drop", ["one", "all"])
def test_an_adapter_with_a_tensor_missing_is_refused(adapter, drop):
    tensors = load_file(adapter / WEIGHTS)
    names = sorted(tensors)
    save_file({name: tensors[name] for name in (names[1:] if drop == "one" else names[:1])}, adapter / WEIGHTS)
    with pytest.raises(CheckpointError, match="is missing"):
        opened(adapter)


def test_two_adapters_in_one_command_are_two_records_over_one_loaded_base(home, tmp_path, monkeypatch):
    rows = [{"question": f"Where does the fox {n} jump?", "options": ["home", "away"], "gold": n % 2} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: A small task.\ntasks:\n  - {name: foxes, type: multiple_choice, data: rows.jsonl, "
        "prompt: '{question}', choices: options, gold: gold, metrics: [acc]}\n"
    )
    read = []
    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", counting(AutoModelForCausalLM.from_pretrained, read))
    options = EvalOptions(meter="none", output=tmp_path / "runs")
    models = [str(home / name) for name in ("lora", "other-lora")]
    together = list(evaluate_each(models, suite=str(tmp_path / "mine.yaml"), options=options))
    assert len(read) == 1
    for model, record in zip(models, together, strict=True):
        alone = evaluate_each(
            [model], suite=str(tmp_path / "mine.yaml"), options=replace(options, output=tmp_path / "alone")
        )
        (expected,) = alone
        assert record.run_id == expected.run_id
        assert list(record.scores["value"]) == list(expected.scores["value"])
        assert record.checkpoint["parent_fingerprint"] == resolve(str(home / "base")).fingerprint
        assert record.checkpoint["bits_per_weight"] == 32
        assert record.environment["peak_memory_bytes"] > record.checkpoint["size_bytes"]
        assert record.verify() == []
    assert together[0].run_id != together[1].run_id


def counting(function, calls):
    def counted(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    return counted
