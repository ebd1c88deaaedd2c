"""Loads checkpoints one after another, and adapters over one base without loading the base again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.checkpoints.adapter import CONFIG, WEIGHTS, base_of, is_prompt, own_files, supplied_tensors
from harness.checkpoints.files import read_object
from harness.checkpoints.headers import read_header
from harness.checkpoints.loading.held import held
from harness.checkpoints.loading.placement import WHOLE, Spread
from harness.checkpoints.loading.weights import scan_tensors
from harness.core.checkpoints import Checkpoint, Stamp
from harness.core.process.heap import uncollected

if TYPE_CHECKING:
    from harness.checkpoints.loading.load import LoadedCheckpoint

__all__ = ["Loader", "load_model"]

ADDED = ("IA3", "LORA")
"""Adapters that stand beside the base's weights, and can be taken away again."""
PLAIN_STARTS = (None, True, False, "gaussian")
"""Ways to begin a LoRA that leave the base's own weights alone."""
OWN_WEIGHTS = ("modules_to_save", "trainable_token_indices", "layer_replication", "target_parameters")
"""Fields of a config by which an adapter brings weights in place of the base's, which peft doesn't put back."""


class Loader:
    """Keeps the base of the adapter that it loaded last; `loads` counts how often weights of a whole model were read.

    `mapped` are the files that what it loaded last is still read from; see `harness.checkpoints.loading.held`;
    `tokenizer` is that checkpoint's, None before the first.

    What an earlier call gave can't be used any more once the next adapter over the same base is loaded.
    """

    def __init__(self) -> None:
        self.loads = 0
        self.mapped: Mapping[Path, Stamp] = {}
        self.tokenizer: Any = None
        self._key: tuple[object, ...] | None = None
        self._base: LoadedCheckpoint | None = None
        self._adapted: Any = None
        self._beside: Loader | None = None
        self._reference: tuple[tuple[object, ...], LoadedCheckpoint] | None = None

    @property
    def reference_mapped(self) -> Mapping[Path, Stamp]:
        """As `mapped`, of the reference; empty without one."""
        return self._beside.mapped if self._beside else {}

    def load_reference(
        self,
        checkpoint: Checkpoint,
        *,
        dtype: str,
        device: str,
        trust_remote_code: bool = False,
        spread: Spread = WHOLE,
    ) -> "LoadedCheckpoint":
        """As `load`, of a checkpoint that stays in memory beside all others, until another one takes its place."""
        options: dict[str, Any] = {
            "dtype": dtype,
            "device": device,
            "trust_remote_code": trust_remote_code,
            "spread": spread,
        }
        key = (checkpoint.fingerprint, checkpoint.kind, *options.values())
        if self._reference is None or self._reference[0] != key:
            self._reference, self._beside = None, Loader()
            self._reference = (key, self._beside.load(checkpoint, **options))
        return self._reference[1]

    def load(
        self,
        checkpoint: Checkpoint,
        *,
        dtype: str,
        device: str,
        trust_remote_code: bool = False,
        spread: Spread = WHOLE,
    ) -> "LoadedCheckpoint":
        """A checkpoint in memory, an adapter over its base among them; the rest is as for `load_whole`."""
        # Imported late: torch, transformers and peft take seconds, and a finished run needs none of them.
        with uncollected():
            from harness.checkpoints.loading.load import load_whole

        options: dict[str, Any] = {"dtype": dtype, "device": device, "trust_remote_code": trust_remote_code}
        if checkpoint.adapter is None:
            self._forget()
            self.loads += 1
            loaded = load_whole(checkpoint, spread=spread, **options)
            self.mapped, self.tokenizer = loaded.mapped, loaded.tokenizer
            return loaded
        with held(checkpoint.adapter, own_files(checkpoint), checkpoint.stamps) as place:
            loaded = self._adapt(replace(checkpoint, adapter=place.folder), options)
            self.mapped, self.tokenizer = {**self.mapped, **place.mapped}, loaded.tokenizer
        return replace(loaded, checkpoint=checkpoint)

    def _adapt(self, checkpoint: Checkpoint, options: dict[str, Any]) -> "LoadedCheckpoint":
        """Put an adapter over its base, which is loaded where it isn't there yet."""
        from harness.checkpoints.loading.load import LoadedCheckpoint, load_whole

        assert checkpoint.adapter is not None
        config = read_object(checkpoint.adapter / CONFIG)
        tensors = read_header(checkpoint.adapter / WEIGHTS)
        scan_tensors(tensors.values())
        supplied = supplied_tensors(config, tensors)
        key = (checkpoint.parent_fingerprint, checkpoint.kind, tuple(sorted(supplied)), *options.values())
        if key != self._key:
            self._forget()
            self.loads += 1
            self._base = load_whole(base_of(checkpoint), supplied=tuple(supplied), **options)
        elif self._adapted is not None:
            self._adapted.unload()
        from harness.checkpoints.loading.adapted import adapt, answering, tokenizer_of
        from harness.checkpoints.loading.rehearsed_adapter import rehearse_adapter

        assert self._base is not None
        rehearse_adapter(checkpoint.adapter, self._base.model, tensors)
        self.mapped = self._base.mapped
        adapted = adapt(self._base.model, checkpoint, options["device"], supplied)
        self._key = key if _leaves_base(config) and not supplied else None
        self._adapted = None if is_prompt(config) else adapted
        return LoadedCheckpoint(
            checkpoint=checkpoint,
            model=answering(adapted),
            tokenizer=tokenizer_of(checkpoint, self._base),
            max_length=checkpoint.max_length or self._base.max_length,
            recipe=self._base.recipe,
            processor=self._base.processor,
        )

    def _forget(self) -> None:
        """Drop the base before another model comes into memory beside it."""
        self._key = self._base = self._adapted = None


def load_model(
    checkpoint: Checkpoint, *, dtype: str, device: str, trust_remote_code: bool = False
) -> "LoadedCheckpoint":
    """One checkpoint, as `Loader.load` gives it."""
    return Loader().load(checkpoint, dtype=dtype, device=device, trust_remote_code=trust_remote_code)


def _leaves_base(config: Mapping[str, Any]) -> bool:
    """Whether the base is as it was before, once the adapter is taken away."""
    return is_prompt(config) or (
        config["peft_type"] in ADDED
        and config.get("bias", "none") == "none"
        and config.get("init_lora_weights") in PLAIN_STARTS
        and not any(config.get(field) for field in OWN_WEIGHTS)
    )
