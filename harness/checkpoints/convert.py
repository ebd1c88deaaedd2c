"""Turns a GGUF file into a safetensors folder. Imports torch: only for a conversion, never to resolve."""

import io
import json
import os
from collections import Counter
from contextlib import redirect_stderr
from pathlib import Path

import torch
import transformers
from gguf import GGUFReader

from harness.checkpoints.gguf import CONVERTER_VERSION
from harness.checkpoints.inspect import CONVERSION
from harness.checkpoints.load import errors_named, quiet, refuse_incomplete
from harness.core.hashing import file_digest

__all__ = ["convert"]

EXACT = ("F32", "F16", "BF16")


def convert(source: Path, folder: Path) -> None:
    """Write the model, tokenizer, chat template and generation config of a GGUF file into a new folder.

    Weights are de-quantised to float32, which holds every value of the file. What was done is in the folder's
    `conversion.json`. Raises `CheckpointError` if transformers can't read the file, `OSError` if it can't be written.
    """
    # transformers draws its bar for this with a tqdm that none of its switches reaches.
    with quiet(), redirect_stderr(io.StringIO()), errors_named(source):
        stored = _stored_as(source)
        options = {"gguf_file": source.name, "local_files_only": True, "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.parent, **options)
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            source.parent, dtype=torch.float32, output_loading_info=True, **options
        )
    refuse_incomplete(info, source)
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
    note = {
        "source": source.name,
        "source_sha256": file_digest(source),
        "converter_version": CONVERTER_VERSION,
        "transformers_version": transformers.__version__,
        "notes": [_note(stored)],
        "files": {
            path.name: {"size_bytes": path.stat().st_size, "sha256": file_digest(path)}
            for path in sorted(folder.iterdir())
        },
    }
    (folder / CONVERSION).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        # safetensors makes files that only their owner can read, and caches are shared in teams.
        path.chmod((folder / CONVERSION).stat().st_mode)
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _drop_invented_tokens(path: Path, rows: int) -> None:
    """Take out special tokens beyond the embedding's rows.

    transformers builds byte-level tokenizers as GPT-2's, which brings `<|endoftext|>` even where the file (Llama 3's,
    for one) has no such token. Tokens of the file itself stay, so that a file that doesn't fit is still found out.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = [token for token in content["added_tokens"] if token["id"] < rows]
    if kept != content["added_tokens"]:
        path.write_text(json.dumps({**content, "added_tokens": kept}, ensure_ascii=False, indent=2), encoding="utf-8")


def _stored_as(source: Path) -> str:
    """The format of most of the file's weights, in GGUF's words, such as Q4_1."""
    counts: Counter[str] = Counter()
    for tensor in GGUFReader(source).tensors:
        counts[tensor.tensor_type.name] += int(tensor.n_elements)
    return counts.most_common(1)[0][0]


def _note(stored: str) -> str:
    if stored in EXACT:
        return f"Converted from a GGUF file in {stored}, without loss"
    return f"Weights are de-quantised {stored}, so scores differ a little from those of the published model"
