"""An encoder checkpoint as the judge of how alike two texts are, token by token: BERTScore."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from typing_extensions import override

from harness.checkpoints import refuse_remote_code, resolve
from harness.checkpoints.loading.loader import Loader
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError, ModelError
from harness.core.scorers import Match, TextMatcher

__all__ = ["BertScorer", "bert_scorer", "windows"]

OPTION = "--bertscore-model"
ENCODERS = ("encoder", "encoder-decoder")


class BertScorer(TextMatcher):
    """BERTScore (Zhang et al., 2020) by the states of one `layer` of a checkpoint (`TextMatcher` in core).

    Each token of one text is matched to the token of the other whose state is nearest by cosine; special tokens may be
    matched, and don't count themselves. Neither weighted by rarity nor rescaled. The checkpoint is loaded when the
    first text is scored, in fp32 on the processor, and each text is read alone, so that the numbers depend on nothing
    but checkpoint, layer and texts. What is longer than the checkpoint's window is read in windows that overlap by
    half: nothing of a text goes unread.
    """

    def __init__(self, checkpoint: Checkpoint, layer: int) -> None:
        self.name = f"{checkpoint.ref}#{layer}"
        self.checkpoint, self.layer = checkpoint, layer
        self._known: dict[tuple[str, str], Match] = {}

    @property
    @override
    def identity(self) -> Mapping[str, Any]:
        """The checkpoint's fingerprint, the layer, and how long texts are read."""
        fingerprint = self.checkpoint.fingerprint
        return {"matcher": "bertscore", "fingerprint": fingerprint, "layer": self.layer, "long": "windows"}

    @override
    def match(self, written: str, reference: str) -> Match:
        """Raises `ModelError` where the checkpoint's states can't be used."""
        pair = (written, reference)
        if pair not in self._known:
            self._known[pair] = self._matched(*pair)
        return self._known[pair]

    def _matched(self, written: str, reference: str) -> Match:
        (ours, own), (theirs, other) = self._states(written), self._states(reference)
        if not own.any() or not other.any():
            return Match(precision=0.0, recall=0.0, f1=0.0)
        nearness = ours @ theirs.T
        precision = min(1.0, float(nearness.max(dim=1).values[own].mean()))
        recall = min(1.0, float(nearness.max(dim=0).values[other].mean()))
        total = precision + recall
        return Match(precision=precision, recall=recall, f1=2 * precision * recall / total if total > 0 else 0.0)

    def _states(self, text: str) -> tuple[Any, Any]:
        """The states of a text's tokens, each of norm 1, of shape (tokens, width), and which tokens are its own."""
        import torch

        model, tokenizer, max_length = self._loaded
        # RoBERTa marks the beginning of a word by its space, which a text's first word has none of.
        spaced = f" {text.strip()}" if model.config.model_type == "roberta" else text.strip()
        given = tokenizer(spaced, return_special_tokens_mask=True, verbose=False)
        token_ids, own = given["input_ids"], ~torch.tensor(given["special_tokens_mask"], dtype=torch.bool)
        places = own.nonzero().flatten().tolist()
        first, last = (places[0], places[-1] + 1) if places else (0, len(token_ids))
        room = max_length - first - (len(token_ids) - last)
        states: Any = None
        for start, end, kept in windows(last - first, room):
            read = self._read([*token_ids[:first], *token_ids[first + start : first + end], *token_ids[last:]])
            if states is None:
                states = read.new_zeros(len(token_ids), read.shape[1])
                states[:first] = read[:first]
            states[first + kept :][: end - kept] = read[first + kept - start :][: end - kept]
            states[last:] = read[first + end - start :]
        return states, own

    def _read(self, token_ids: Sequence[int]) -> Any:
        """The states of one window, each of norm 1, of shape (tokens, width)."""
        import torch

        model, _, _ = self._loaded
        with torch.inference_mode():
            given = model(input_ids=torch.tensor([token_ids]), output_hidden_states=True)
            states = torch.nn.functional.normalize(given.hidden_states[self.layer][0].float(), dim=-1)
        if not torch.isfinite(states).all():
            raise ModelError("its states are NaN or infinite", place=f"{OPTION} {self.name}")
        return states

    @cached_property
    def _loaded(self) -> tuple[Any, Any, int]:
        loaded = Loader().load(self.checkpoint, dtype="float32", device="cpu")
        model: Any = loaded.model
        encoder = model.get_encoder() if model.config.is_encoder_decoder else model.base_model
        return encoder, loaded.tokenizer, loaded.max_length


def windows(count: int, room: int) -> list[tuple[int, int, int]]:
    """How `count` tokens are read `room` at once: start, end, and from where on the states of a window are taken.

    Each window begins in the middle of the one before, and gives the states from the middle of what both hold.
    """
    step = max(room // 2, 1)
    found = [(0, min(max(room, 1), count), 0)]
    while found[-1][1] < count:
        start = min(found[-1][0] + step, count - room)
        found.append((start, start + room, (start + found[-1][1]) // 2))
    return found


def bert_scorer(reference: str, *, offline: bool) -> BertScorer:
    """The scorer that `--bertscore-model` names: a checkpoint, and behind a `#` the layer to read; else the last.

    Raises `CheckpointError` for a checkpoint without an encoder of whole texts or without that layer; else as `resolve`
    does.
    """
    ref, _, wanted = reference.partition("#")
    place = f"{OPTION} {reference}"
    checkpoint = resolve(ref, offline=offline)
    refuse_remote_code(checkpoint)
    if registry.kind(checkpoint.kind).transformer not in ENCODERS:
        raise CheckpointError(
            f"is of the kind {checkpoint.kind}, which has no encoder that sees a whole text",
            place=place,
            fix="Give one such as a BERT or RoBERTa",
        )
    layers = _layer_count(checkpoint.config, place)
    if wanted and not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= layers):
        raise CheckpointError(f"has no layer {wanted!r}", place=place, fix=f"Give one from 1 to {layers}")
    return BertScorer(checkpoint, int(wanted) if wanted else layers)


def _layer_count(config: Mapping[str, Any], place: str) -> int:
    names = ("encoder_layers", "num_hidden_layers", "n_layers", "num_layers")
    count = next((config[name] for name in names if isinstance(config.get(name), int)), None)
    if count is None:
        raise CheckpointError("doesn't say in its config how many layers it has", place=place)
    return int(count)
