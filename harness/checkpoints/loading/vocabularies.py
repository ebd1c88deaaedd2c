"""Whether two checkpoints have one vocabulary, told by their tokenizers alone."""

from pathlib import Path

from harness.checkpoints.vocabulary import has_vocabulary
from harness.core.checkpoints import Checkpoint

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
    return (
        f"has another vocabulary than {first.ref} ({len(other):,} tokens against {len(one):,}, of which "
        f"{len(smaller) - len(strange):,} are the same), so that neither's distribution of the next token can be held "
        "against the other's"
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
