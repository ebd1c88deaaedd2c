"""Checkpoints on a model hub."""

import shlex
import sys
from pathlib import Path

from harness.checkpoints.senses.processors import PROCESSOR_PATTERNS
from harness.checkpoints.sentence import SENTENCE_PATTERNS
from harness.checkpoints.sources.local import HUB_ID
from harness.checkpoints.vocabulary import TOKENIZER_PATTERNS
from harness.core.checkpoints import SourceOptions
from harness.core.errors import CheckpointError, UnavailableError

__all__ = ["HubCheckpoints"]

PATTERNS = (
    "config.json",
    "generation_config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "adapter_config.json",
    "adapter_model.safetensors",
    "*.py",
    *TOKENIZER_PATTERNS,
    *SENTENCE_PATTERNS,
    *PROCESSOR_PATTERNS,
)


class HubCheckpoints:
    """`org/name` or `org/name@revision`, through huggingface_hub and its cache."""

    rank = 40

    def accepts(self, ref: str) -> bool:
        """Whether the reference is spelt as a hub id is."""
        return HUB_ID.fullmatch(ref) is not None

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:
        """The folder of the snapshot in the hub's cache, downloaded where it isn't there and that is allowed.

        Raises `UnavailableError` with the command that would fetch it, or `CheckpointError` if the hub has no such
        repository or revision, or only pickled weights in it.
        """
        name, _, revision = ref.partition("@")
        command = shlex.join(["hf", "download", name, *(["--revision", revision] if revision else [])])
        folder = _snapshot(ref, name, revision or None, options, command)
        if not any(folder.glob("*.safetensors")):
            raise CheckpointError(
                "the repository holds no safetensors weights",
                place=ref,
                fix=f"Choose a revision that does, or `{command}`, convert it with save_pretrained, give that folder",
            )
        return folder, f"hub {name} at revision {folder.name}"


def _snapshot(ref: str, name: str, revision: str | None, options: SourceOptions, command: str) -> Path:
    # Importing it takes a fifth of a second, which other sources need not pay.
    from huggingface_hub import constants, errors, snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        return Path(
            snapshot_download(name, revision=revision, local_files_only=options.offline, allow_patterns=list(PATTERNS))
        )
    except errors.HFValidationError as error:
        raise CheckpointError(
            f"no such path, and no valid hub id ({error})", place=ref, fix="Check the spelling"
        ) from error
    except errors.GatedRepoError as error:
        raise UnavailableError(
            "its publisher asks for your consent first",
            place=ref,
            fix=f"Accept the terms on the hub's page of {name}, then run `hf auth login`",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise CheckpointError(
            "no such path here, and no such model or revision on the hub",
            place=ref,
            fix="Check the spelling; for a private one run `hf auth login`",
        ) from error
    except errors.LocalEntryNotFoundError as error:
        why = "offline" if options.offline or constants.HF_HUB_OFFLINE else "the hub can't be reached"
        raise UnavailableError(
            f"no such path here, and as a hub id it is not complete in the hub's cache; {why}",
            place=ref,
            fix=f"Check the path, or run `{command}` once with the network",
        ) from error
    except Exception as error:  # the network fails in many ways, and none of them is worth a traceback
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnavailableError(
            f"can't be downloaded ({reason})",
            place=ref,
            fix=f"Check the network and the room on the disk, or run `{command}` to see more",
        ) from error
