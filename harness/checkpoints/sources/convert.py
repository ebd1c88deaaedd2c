"""Turns a GGUF file into a safetensors folder. Imports torch: only for a conversion, never to resolve."""

import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import transformers
from gguf import GGUFReader, GGUFValueType, GGUFWriter, Keys

from harness.checkpoints.loading.load import errors_named, quiet, refuse_incomplete
from harness.checkpoints.sources.cached import CONVERSION, CONVERTER_VERSION
from harness.core.errors import CheckpointError
from harness.core.text.hashing import file_digest
from harness.core.text.reasons import Reason

__all__ = ["convert"]

EXACT = ("F32", "F16", "BF16")


def convert(parts: Sequence[Path], folder: Path) -> None:
    """Write the model, tokenizer, chat template and generation config of a GGUF file into a new folder.

    `parts` are the files that it is split into, mostly one. Weights are de-quantised to float32, which holds every
    value of the file. What was done is in the folder's `conversion.json`. Raises `CheckpointError` if transformers
    can't read the file, `OSError` if it can't be written.
    """
    place = parts[0]
    with ExitStack() as stack:
        # transformers draws its bar for this with a tqdm that none of its switches reaches.
        for context in (quiet(), redirect_stderr(io.StringIO()), errors_named(place)):
            stack.enter_context(context)
        readers = [GGUFReader(part) for part in parts]
        stack.enter_context(_architecture_named(readers[0], place))
        stored, bits = _stored_as(readers)
        scratch = Path(stack.enter_context(TemporaryDirectory(dir=folder.parent)))
        source = _joined(readers, scratch / "joined.gguf") if len(parts) > 1 else _alone(place, scratch)
        options = {"gguf_file": source.name, "local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, **options)
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            source.parent, dtype=torch.float32, output_loading_info=True, **options
        )
    refuse_incomplete(info, place)
    # The model is in float32 now, but still says that it is quantised, and such a one refuses to be saved.
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config
    # Where the file lay must not enter the fingerprint.
    model.config._name_or_path = ""
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    _drop_invented_tokens(folder / "tokenizer.json", model.get_input_embeddings().weight.shape[0])
    said = {**_provenance(parts, folder), "bits_per_weight": bits, "notes": [_note(stored).to_json()]}
    (folder / CONVERSION).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        # safetensors makes files that only their owner can read, and caches are shared in teams.
        path.chmod((folder / CONVERSION).stat().st_mode)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _provenance(parts: Sequence[Path], folder: Path) -> dict[str, Any]:
    """What was converted, by what, and the files that came out."""
    return {
        "source": parts[0].name,
        "source_sha256": file_digest(parts[0]) if len(parts) == 1 else [file_digest(part) for part in parts],
        "size_bytes": sum(part.stat().st_size for part in parts),
        "converter_version": CONVERTER_VERSION,
        "transformers_version": transformers.__version__,
        "files": {
            path.name: {"size_bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in sorted(folder.iterdir())
        },
    }


def _drop_invented_tokens(path: Path, rows: int) -> None:
    """Take out special tokens beyond the embedding's rows.

    transformers builds byte-level tokenizers as GPT-2's, which brings `<|endoftext|>` even where the file (Llama 3's,
    for one) has no such token. Tokens of the file itself stay, so that a file that doesn't fit is still found out.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = [token for token in content["added_tokens"] if token["id"] < rows]
    if kept != content["added_tokens"]:
        path.write_text(json.dumps({**content, "added_tokens": kept}, ensure_ascii=False, indent=2), encoding="utf-8")


def _stored_as(readers: Sequence[GGUFReader]) -> tuple[str, float]:
    """The format of most of the file's weights, in GGUF's words, such as Q4_1, and the bits that a weight takes."""
    counts: Counter[str] = Counter()
    size_bytes = 0
    for tensor in (tensor for reader in readers for tensor in reader.tensors):
        counts[tensor.tensor_type.name] += int(tensor.n_elements)
        size_bytes += int(tensor.n_bytes)
    return counts.most_common(1)[0][0], 8 * size_bytes / counts.total()


@contextmanager
def _architecture_named(reader: GGUFReader, place: Path) -> Iterator[None]:
    """Name the architecture where transformers refuses it."""
    try:
        yield
    except ValueError as error:
        # transformers' word for it; it has names of its own for some architectures, so asking first would be a guess.
        if "architecture" not in str(error):
            raise
        field = reader.fields.get(Keys.General.ARCHITECTURE)
        raise CheckpointError(
            f"holds a model of the architecture {field.contents() if field else None!r}, which transformers "
            f"{transformers.__version__} can't read from GGUF files",
            place=place,
            fix="Take a safetensors version of it, or serve the file with llama.cpp and give "
            "openai:http://HOST:PORT/v1#NAME",
        ) from error


def _alone(source: Path, scratch: Path) -> Path:
    """The file in a folder without others: transformers would read the configs, templates and adapters beside it."""
    target = scratch / source.name
    try:
        target.symlink_to(source.absolute())
    except OSError:  # Windows lets few people make links
        shutil.copyfile(source, target)
    return target


def _joined(readers: Sequence[GGUFReader], target: Path) -> Path:
    """One file of the parts of a split one: what the first says of the model, and the tensors of all."""
    architecture = readers[0].fields[Keys.General.ARCHITECTURE].contents()
    writer = GGUFWriter(target, architecture, endianess=readers[0].endianess)
    for field in readers[0].fields.values():
        if field.name != Keys.General.ARCHITECTURE and not field.name.startswith(("GGUF.", "split.")):
            sub_type = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=sub_type)
    tensors = [tensor for reader in readers for tensor in reader.tensors]
    for tensor in tensors:
        writer.add_tensor_info(
            tensor.name, tensor.data.shape, tensor.data.dtype, tensor.data.nbytes, tensor.tensor_type
        )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        writer.write_tensor_data(tensor.data, tensor_endianess=readers[0].endianess)
    writer.close()
    return target


def _note(stored: str) -> Reason:
    if stored in EXACT:
        return Reason("Converted from a GGUF file in {stored}, without loss", stored=stored)
    return Reason(
        "Weights are de-quantised {stored}, so scores differ a little from those of the published model", stored=stored
    )
