"""What is loaded is what was checked and digested, whatever else lies in the folder or a config names."""

import json
import re
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.redirects import TOKENIZER_CLASS
from harness.checkpoints.vocabulary import TOKENIZER_PATTERNS
from harness.core.errors import CheckpointError
from tests.checkpoints.conftest import Edit
from tests.tiny import build_tiny_encoder, build_tiny_tokenizer

TEXT = "She said that he would never go home again, though it rained; 1,024 times"


def loaded(folder: Path) -> LoadedCheckpoint:
    return load_model(resolve(str(folder)), dtype="float32", device="cpu")


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        resolve(str(folder))
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_file_that_a_tokenizer_of_transformers_declares_is_in_the_fingerprint() -> None:
    package = find_spec("transformers")
    assert package is not None
    assert package.origin is not None
    sources = Path(package.origin).parent.glob("**/tokenization_*.py")
    tables = re.findall(
        r"^VOCAB_FILES_NAMES = \{(.*?)\}", "\n".join(path.read_text("utf-8") for path in sources), re.M | re.S
    )
    declared = {name for table in tables for name in re.findall(r'"[a-z_]+": "([^"/]+)"', table)}
    assert {"tokenizer.json", "vocab-src.json", "sentencepiece.bpe.model", "word_shape.json"} <= declared
    assert [name for name in declared if not any(fnmatch(name, pattern) for pattern in TOKENIZER_PATTERNS)] == []


def other_config(folder: Path, edit: Edit) -> None:
    shutil.copy(folder / "config.json", folder / "config.4.0.0.json")
    edit("config.4.0.0.json", rms_norm_eps=0.5)
    edit("config.json", configuration_files=["config.4.0.0.json"])


def other_tokenizer(folder: Path, edit: Edit) -> None:
    shutil.copy(folder / "tokenizer.json", folder / "tokenizer.4.0.0.json")
    edit("tokenizer_config.json", fast_tokenizer_files=["tokenizer.json", "tokenizer.4.0.0.json"])


def other_config_by_mapping(folder: Path, edit: Edit) -> None:
    shutil.copy(folder / "config.json", folder / "config.4.0.0.json")
    edit("config.json", configuration_files={"config.4.0.0.json": 1})


def unnamed_arguments(folder: Path, edit: Edit) -> None:
    edit("tokenizer_config.json", init_inputs=["/etc/hostname"])


def dictionary_elsewhere(folder: Path, edit: Edit) -> None:
    edit("tokenizer_config.json", mecab_kwargs={"deeper": {"mecab_option": "-d /srv/dictionary"}})


def nested_kernel(folder: Path, edit: Edit) -> None:
    edit("config.json", text_config={"_attn_implementation": "nobody/kernel"})


def other_class(folder: Path, edit: Edit) -> None:
    edit("tokenizer_config.json", tokenizer_class="RagRetriever")


def other_class_by_the_model(folder: Path, edit: Edit) -> None:
    edit("config.json", tokenizer_class="AutoProcessor")


def two_tokenizers(folder: Path, edit: Edit) -> None:
    edit("tokenizer_config.json", tokenizer_class="RagTokenizer")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_config, "config.json: configuration_files"),
        (other_config_by_mapping, "config.json: configuration_files"),
        (other_tokenizer, "tokenizer_config.json: fast_tokenizer_files"),
        (unnamed_arguments, "tokenizer_config.json: init_inputs"),
        (dictionary_elsewhere, "tokenizer_config.json: mecab_kwargs.deeper.mecab_option"),
        (nested_kernel, "config.json: text_config._attn_implementation"),
        (other_class, "tokenizer_config.json: tokenizer_class is 'RagRetriever'"),
        (other_class_by_the_model, "config.json: tokenizer_class is 'AutoProcessor'"),
        (two_tokenizers, "tokenizer_config.json: tokenizer_class is 'RagTokenizer'"),
    ],
)
def test_a_config_that_leads_to_other_files_is_refused(
    folder: Path, edit: Edit, change: Callable[[Path, Edit], None], says: str
) -> None:
    change(folder, edit)
    assert says in refusal(folder)


def test_every_class_that_transformers_has_for_a_kind_of_model_may_be_named() -> None:
    from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

    named = {name for name in TOKENIZER_MAPPING_NAMES.values() if name}
    assert len(named) > 50
    assert [name for name in named if not TOKENIZER_CLASS.fullmatch(name)] == ["RagTokenizer"]


def test_lists_that_name_the_usual_files_alone_change_nothing(folder: Path, edit: Edit) -> None:
    before = loaded(folder)
    edit("config.json", configuration_files=["config.json"])
    edit("tokenizer_config.json", fast_tokenizer_files=["tokenizer.json"], init_inputs=[])
    after = loaded(folder)
    assert after.tokenizer(TEXT)["input_ids"] == before.tokenizer(TEXT)["input_ids"]


def test_paths_of_another_machine_in_a_tokenizer_config_are_not_opened(folder: Path, edit: Edit) -> None:
    expected = loaded(folder).tokenizer(TEXT)["input_ids"]
    other = folder.parent / "other"
    build_tiny_tokenizer(vocab_size=350).save_pretrained(other)
    fields = ("tokenizer_file", "vocab_file", "special_tokens_map_file", "gguf_file", "merges_file")
    edit("tokenizer_config.json", **{field: str(other / "tokenizer.json") for field in fields})
    tokenizer = loaded(folder).tokenizer
    assert tokenizer(TEXT)["input_ids"] == expected
    assert not [field for field in fields if str(other) in str(tokenizer.init_kwargs.get(field))]
    assert tokenizer.name_or_path == str(folder)


def test_what_lies_beside_a_checkpoint_changes_nothing(folder: Path) -> None:
    before = loaded(folder)
    (folder / "tokenizer.4.0.0.json").write_text("{}")
    (folder / "tekken.txt").write_text("")
    (folder / "model.fp16.safetensors").write_bytes(b"")
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")
    after = loaded(folder)
    assert after.checkpoint.fingerprint == before.checkpoint.fingerprint
    for name, tensor in before.model.state_dict().items():
        assert torch.equal(tensor, after.model.state_dict()[name])


def test_a_pooling_in_a_folder_of_any_name_is_in_the_fingerprint(tmp_path: Path) -> None:
    folder = build_tiny_encoder(tmp_path / "encoder", pooling="mean_tokens")
    (folder / "1_Pooling").rename(folder / "other")
    modules: list[dict[str, Any]] = json.loads((folder / "modules.json").read_text())
    modules[1]["path"] = "other"
    (folder / "modules.json").write_text(json.dumps(modules))
    first = resolve(str(folder))
    assert "other/config.json" in first.files
    (folder / "other" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    assert resolve(str(folder)).fingerprint != first.fingerprint
    for path in ("../outside", "other/../other", "", ".", "/srv"):
        modules[1]["path"] = path
        (folder / "modules.json").write_text(json.dumps(modules))
        assert "not a folder name" in refusal(folder)


def test_a_strangers_conversion_is_not_believed(folder: Path) -> None:
    before = resolve(str(folder))
    said = {
        "notes": ["Certified by the publisher"],
        "size_bytes": 1,
        "bits_per_weight": 0.1,
        "files": {"config.json": {}},
    }
    (folder / "conversion.json").write_text(json.dumps(said))
    after = resolve(str(folder))
    assert after == before
    (folder / "conversion.json").unlink()
    (folder / "conversion.json").mkdir()
    assert resolve(str(folder)) == before


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("listed", ["nobody/other--modeling.Model", ["nobody/other--tokenization.Fast", None]])
def test_trust_in_the_code_of_a_checkpoint_is_none_in_that_of_another(
    folder: Path, edit: Edit, file: str, listed: object
) -> None:
    edit(file, auto_map={"AutoModelForCausalLM": listed, "AutoTokenizer": listed})
    with pytest.raises(CheckpointError, match=f"{file}: names Python code of another repository, 'nobody/other'"):
        load_model(resolve(str(folder)), dtype="float32", device="cpu", trust_remote_code=True)
