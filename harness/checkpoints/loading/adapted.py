"""Puts a loaded base and an adapter together with peft, and refuses an adapter that doesn't fit."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peft
import torch
from torch import Tensor

from harness.checkpoints.adapter import OUTPUT_HEAD, PREFIX
from harness.checkpoints.geometry import EMBEDDING
from harness.checkpoints.headers import StoredTensor
from harness.checkpoints.loading.load import LoadedCheckpoint, errors_named, quiet
from harness.checkpoints.loading.rehearsal import rehearsed_tokenizer
from harness.checkpoints.loading.tokenizing import read_tokenizer
from harness.checkpoints.vocabulary import check_tokenizer, has_vocabulary, word_count
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError

__all__ = ["adapt", "answering", "tokenizer_of"]

NAME = "default"
PROMPT = "prompt_embeddings"
READ = ("input_ids", "attention_mask")


def answering(adapted: Any) -> Any:
    """The model that the engine asks: the base itself with its changed layers, or one that reads a prompt first."""
    return _Prompted(adapted) if adapted.peft_config[NAME].is_prompt_learning else adapted.get_base_model().eval()


def adapt(base: Any, checkpoint: Checkpoint, device: str, supplied: Mapping[str, StoredTensor]) -> Any:
    """peft's model of a base and an adapter, every weight of it in its place; the base's layers are changed for that.

    `supplied` are the tensors that the adapter has in place of the base's own: an embedding with more or fewer tokens
    among them makes the base's as large.

    Raises `CheckpointError` for weights that are missing, too many or wrongly shaped for the base.
    """
    folder = checkpoint.adapter
    assert folder is not None
    with quiet(), errors_named(folder):
        config = peft.PeftConfig.from_pretrained(str(folder))
        config.inference_mode = True
        _resize(base, supplied, folder)
        kind = peft.MODEL_TYPE_TO_PEFT_MODEL_MAPPING.get(config.task_type, peft.PeftModel)
        mapping = None if config.is_prompt_learning else getattr(base, "_checkpoint_conversion_mapping", None)
        try:
            adapted = kind(base, config, NAME)
            result = adapted.load_adapter(str(folder), NAME, torch_device=device, key_mapping=mapping)
            if config.is_prompt_learning:
                # peft gives vectors of any width a place, and fails only when they are read.
                with torch.inference_mode():
                    adapted(**{name: torch.ones((1, 1), dtype=torch.long, device=device) for name in READ})
        except Exception as error:  # peft checks next to nothing itself, so it fails wherever the shapes first meet
            raise CheckpointError(
                f"the adapter doesn't fit its base, {checkpoint.path} ({_first_line(error)})",
                place=folder,
                fix="Give the base that it was trained over, with --base REF",
            ) from error
    faults = [
        *(f"{name} is missing" for name in sorted(result.missing_keys)),
        # peft has given a prompt's vectors their place by then, and reports them all the same.
        *(
            f"the base has no place for {name}"
            for name in sorted(set(result.unexpected_keys) - {PROMPT})
            # Of a module that was trained as a whole, peft may save the weights under the module's own name, too.
            if name.removeprefix(PREFIX).replace(".modules_to_save.", ".") not in supplied
        ),
    ]
    if faults:
        others = f" (and {len(faults) - 1} more like it)" if len(faults) > 1 else ""
        raise CheckpointError(
            f"the adapter doesn't fit its base, {checkpoint.path}: {faults[0]}{others}",
            place=folder,
            fix="Give the base that it was trained over, with --base REF",
        )
    return adapted.eval()


def _resize(base: Any, supplied: Mapping[str, StoredTensor], folder: Path) -> None:
    """Give the base as many tokens as the embedding that the adapter brings, as before its training.

    Raises `CheckpointError` where it brings no output head for them.
    """
    rows = {
        bool(OUTPUT_HEAD.search(name)): tensor.shape[0]
        for name, tensor in supplied.items()
        if name.endswith(".weight") and len(tensor.shape) == 2 and (OUTPUT_HEAD.search(name) or EMBEDDING.search(name))
    }
    count = rows.get(False, rows.get(True))
    if count is None or count == word_count(base):
        return
    has_head = base.get_output_embeddings() is not None and not base.config.get_text_config().tie_word_embeddings
    if any(rows.get(is_head) != count for is_head in (False, *([True] if has_head else []))):
        raise CheckpointError(
            f"brings an embedding of {count:,} tokens over a base that has {word_count(base):,}, and no output head "
            "that fits it",
            place=folder,
            fix="Save it again with save_embedding_layers=True",
        )
    base.resize_token_embeddings(count, mean_resizing=False)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The first line of torch's error says only that there were errors.
    return next((line for line in lines if "size mismatch" in line), lines[0] if lines else type(error).__name__)


def tokenizer_of(checkpoint: Checkpoint, base: LoadedCheckpoint) -> Any:
    """The adapter's own tokenizer where it brings one, of the class that the base's config says; else the base's.

    The adapter's folder has to be one of ours: that config is put into it.
    """
    folder = checkpoint.adapter
    if folder is None or not has_vocabulary(folder):
        return base.tokenizer
    (folder / "config.json").write_text(json.dumps(dict(checkpoint.config)), encoding="utf-8")
    with rehearsed_tokenizer(folder) as tried:
        tried()
    with quiet(), errors_named(folder):
        tokenizer = read_tokenizer(folder)
    check_tokenizer(tokenizer, base.model, folder)
    return tokenizer


class _Prompted:
    """A causal model with trained vectors before every text, to the engine a model that only reads whole texts.

    Its logits are those of the text's own tokens. It takes neither position ids nor a cache, and shows no output head,
    so the engine reads each request by itself, whole.
    """

    _is_stateful = False

    def __init__(self, adapted: Any) -> None:
        self._adapted = adapted
        base = adapted.get_base_model()
        self.virtual_token_count = sum(one.num_virtual_tokens for one in adapted.peft_config.values())
        self.config, self.generation_config = base.config, base.generation_config
        self.device, self.dtype = base.device, base.dtype
        self.get_input_embeddings, self.parameters = base.get_input_embeddings, adapted.parameters

    def get_output_embeddings(self) -> None:
        """None: the head also sees the vectors before the text."""

    def prepare_inputs_for_generation(self, input_ids: Tensor, **arguments: Any) -> Mapping[str, Any]:
        """What `forward` takes, of all that the engine knows."""
        return {"input_ids": input_ids, "attention_mask": arguments.get("attention_mask")}

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        """Logits of shape (rows, tokens, vocabulary)."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        output = self._adapted(input_ids=input_ids, attention_mask=mask, use_cache=False)
        return SimpleNamespace(logits=output.logits[:, -input_ids.shape[1] :])

    def __call__(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> Any:
        """The logits of `forward`."""
        return self.forward(input_ids, attention_mask)
