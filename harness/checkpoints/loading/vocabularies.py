"""Whether two checkpoints have one vocabulary, told by their tokenizers alone."""

from pathlib import Path

from harness.checkpoints.vocabulary import has_vocabulary
from harness.core.checkpoints import Checkpoint
from harness.core.process.paths import public_name
from harness.core.text.reasons import Reason

__all__ = ["vocabulary_fault"]


def vocabulary_fault(first: Checkpoint, second: Checkpoint, *, trust_remote_code: bool = False) -> str | None:
    """Why the distributions of two models over the next token can't be compared; None where they can.

    Each token of the smaller vocabulary has to have the same number in the other: one may have tokens added.
    """
    one, other = (_vocabulary(_folder(each), trust_remote_code=trust_remote_code) for each in (first, second))
    smaller, larger = sorted((one, other), key=len)
    strange = [token for token, number in smaller.items() if larger.get(token) != number]
    if not strange:
        return None
    return Reason(
        "has another vocabulary than {model} ({other} tokens against {own}, of which {same} are the same), so that "
        "neither's distribution of the next token can be held against the other's",
        model=public_name(first.ref),
        other=f"{len(other):,}",
        own=f"{len(one):,}",
        same=f"{len(smaller) - len(strange):,}",
    )


def _folder(checkpoint: Checkpoint) -> Path:
    """Where the tokenizer is: an adapter may bring its own."""
    own = checkpoint.adapter
    return own if own is not None and has_vocabulary(own) else checkpoint.path


def _vocabulary(folder: Path, *, trust_remote_code: bool) -> dict[str, int]:
    # Imported late: transformers takes a second.
    from harness.checkpoints.loading.tokenizing import read_tokenizer

    vocabulary: dict[str, int] = read_tokenizer(folder, trust_remote_code=trust_remote_code).get_vocab()
    return vocabulary
