"""What resolving tells about a checkpoint, and what its fingerprint depends on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPT2Config

from harness.checkpoints import resolve, resolve_dtype
from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError
from tests.checkpoints.conftest import Edit
from tests.tiny import build_tiny_checkpoint, tiny_llama_config


def test_a_folder_is_described_as_transformers_sees_it(tiny_llama: Path) -> None:
    checkpoint = resolve(str(tiny_llama))
    model = AutoModelForCausalLM.from_pretrained(tiny_llama)
    assert checkpoint.kind == "causal"
    assert checkpoint.architecture == type(model).__name__
    assert checkpoint.parameter_count == model.num_parameters()
    assert checkpoint.size_bytes == (tiny_llama / "model.safetensors").stat().st_size
    assert checkpoint.max_length == model.config.max_position_embeddings
    assert checkpoint.dtype == "float32"
    assert checkpoint.has_chat_template
    assert checkpoint.path == tiny_llama


@pytest.mark.parametrize(
    "config",
    [
        tiny_llama_config(tie_word_embeddings=True),
        GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=4, n_positions=64),
    ],
    ids=["llama", "gpt2"],
)
def test_tied_heads_count_once(config: GPT2Config, tmp_path: Path) -> None:
    folder = build_tiny_checkpoint(tmp_path, config=config)
    checkpoint = resolve(str(folder))
    assert checkpoint.parameter_count == AutoModelForCausalLM.from_pretrained(folder).num_parameters()
    assert checkpoint.max_length == config.max_position_embeddings


def test_a_stored_copy_of_a_tied_head_is_not_counted(folder: Path, edit: Edit) -> None:
    untied = resolve(str(folder)).parameter_count
    edit("config.json", tie_word_embeddings=True)
    assert (
        untied - resolve(str(folder)).parameter_count
        == load_file(folder / "model.safetensors")["lm_head.weight"].numel()
    )


@pytest.mark.parametrize(("told", "expected"), [(512, 512), (10**30, 2048)])
def test_without_a_length_in_the_config_the_tokenizer_says_or_a_default(
    folder: Path, edit: Edit, told: int, expected: int
) -> None:
    edit("config.json", max_position_embeddings=None)
    edit("tokenizer_config.json", model_max_length=told)
    assert resolve(str(folder)).max_length == expected


def test_the_fingerprint_changes_with_every_file_that_matters(folder: Path) -> None:
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tools.jinja").write_text("{{ messages }}")
    (folder / "special_tokens_map.json").write_text("{}")
    first = resolve(str(folder))
    assert set(first.files) == {
        "additional_chat_templates/tools.jinja",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    seen = {first.fingerprint}
    for name in first.files:
        path = folder / name
        before = path.read_bytes()
        # The last byte of the weights is a number's; JSON and templates bear a blank at their end.
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]) if path.suffix == ".safetensors" else before + b" ")
        seen.add(resolve(str(folder)).fingerprint)
        path.write_bytes(before)
    assert len(seen) == 1 + len(first.files)
    assert resolve(str(folder)).fingerprint == first.fingerprint


def test_the_fingerprint_does_not_change_with_the_folder_or_files_that_do_not_matter(folder: Path) -> None:
    first = resolve(str(folder))
    (folder / "README.md").write_text("A model")
    (folder / "train.py").write_text("print()")
    moved = folder.rename(folder.parent / "elsewhere")
    assert resolve(str(moved)).fingerprint == first.fingerprint


def test_the_code_of_a_checkpoint_that_brings_its_own_is_in_the_fingerprint(folder: Path, edit: Edit) -> None:
    edit("config.json", auto_map={"AutoModelForCausalLM": "modeling.Model"})
    (folder / "modeling.py").write_text("A = 1")
    first = resolve(str(folder))
    (folder / "modeling.py").write_text("A = 2")
    assert "modeling.py" in first.files
    assert resolve(str(folder)).fingerprint != first.fingerprint


def test_a_snapshot_in_the_hubs_cache_resolves_offline_through_its_links(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models--org--tiny"
    snapshot = repository / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(snapshot.name)
    (repository / "blobs").mkdir()
    for number, path in enumerate(sorted(tiny_llama.iterdir())):
        shutil.copy(path, repository / "blobs" / str(number))
        (snapshot / path.name).symlink_to(Path("..", "..", "blobs", str(number)))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    checkpoint = resolve("org/tiny", offline=True)
    assert checkpoint.fingerprint == resolve(str(tiny_llama)).fingerprint
    assert snapshot.name in checkpoint.origin
    assert checkpoint.ref == "org/tiny"


def test_a_folder_spelt_like_a_hub_id_is_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent.parent)
    assert resolve(f"{folder.parent.name}/{folder.name}").path == folder


def test_resolving_imports_neither_torch_nor_transformers(tiny_llama: Path) -> None:
    code = (
        "import sys; from harness.checkpoints import resolve; resolve(sys.argv[1]); "
        "print(sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tiny_llama)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tables_read_from_transformers_source_are_those_it_imports() -> None:
    from transformers.models.auto import modeling_auto

    from harness.checkpoints.architectures import _tables
    from harness.checkpoints.kinds import loaded_kinds, loading

    for about in map(loading, loaded_kinds()):
        assert _tables()[about.table] == dict(getattr(modeling_auto, about.table))
        assert hasattr(modeling_auto, about.auto_class)


def _saved_as(dtype: str, tiny_llama: Path) -> Checkpoint:
    from dataclasses import replace

    return replace(resolve(str(tiny_llama)), dtype=dtype)


@pytest.mark.parametrize(
    ("saved", "requested", "device", "expected"),
    [
        ("bfloat16", "auto", "cpu", "bfloat16"),
        ("float16", "auto", "cpu", "float32"),
        ("float16", "auto", "cuda", "float16"),
        ("float64", "auto", "cuda", "float32"),
        ("float16", "float16", "cpu", "float16"),
        ("float32", "bfloat16", "cpu", "bfloat16"),
    ],
)
def test_auto_is_the_checkpoints_own_dtype_where_that_can_be_computed_in(
    tiny_llama: Path, saved: str, requested: str, device: str, expected: str
) -> None:
    assert resolve_dtype(_saved_as(saved, tiny_llama), requested, device=device) == expected


def test_an_unknown_dtype_is_refused_with_those_there_are(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match="bfloat16"):
        resolve_dtype(resolve(str(tiny_llama)), "int3")


def test_a_config_that_names_no_dtype_leaves_it_to_the_weights(folder: Path, edit: Edit) -> None:
    edit("config.json", dtype=None, torch_dtype=None)
    assert resolve(str(folder)).dtype == "float32"
