"""The chat templates that a checkpoint brings: whether there is one, its identity, and whether it can be used."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateSyntaxError

from harness.checkpoints.files import read_object, safe_file
from harness.checkpoints.loading.confined import CPU_S, try_out
from harness.checkpoints.vocabulary import TEMPLATES, has_vocabulary
from harness.core.checkpoints import Checkpoint
from harness.core.errors import CheckpointError
from harness.core.text.hashing import canonical_json, digest, file_digest

__all__ = [
    "asks_for_date",
    "chat_template_digest",
    "has_chat_template",
    "refuse_template",
    "takes_tools",
    "template_folder",
    "thinking_switch",
]

MAX_BYTES = 1 << 20
MAX_FILES = 50
"""Each is tried in a process of its own; few checkpoints have more than one."""
DATE = "strftime_now"
"""The function of transformers' that a template asks."""
SWITCHES = ("enable_thinking", "thinking")
"""What templates in use call the variable that switches thinking on and off."""
TOOLS = "tools"
"""The variable in which transformers gives a template the functions that can be called."""
FIX = "Download this file from the checkpoint's publisher again, or leave --apply-chat-template out"


def has_chat_template(folder: Path, tokenizer_config: dict[str, Any]) -> bool:
    """Whether the tokenizer brings a chat template, in a file of its own or in its config."""
    return bool(tokenizer_config.get("chat_template")) or any(any(folder.glob(pattern)) for pattern in TEMPLATES)


def chat_template_digest(folder: Path) -> str | None:
    """SHA-256 of the text of the chat template in a folder; None where there is none.

    Where there are several, that of the canonical JSON of their own digests by where they stand.
    """
    found = {path.relative_to(folder).as_posix(): file_digest(path) for name in TEMPLATES for path in folder.glob(name)}
    config = folder / "tokenizer_config.json"
    if config.is_file() and (template := read_object(config).get("chat_template")):
        text = template if isinstance(template, str) else canonical_json(template).decode()
        found[config.name] = hashlib.sha256(text.encode()).hexdigest()
    return digest(found) if len(found) > 1 else next(iter(found.values()), None)


def asks_for_date(checkpoint: Checkpoint) -> bool:
    """Whether any of a checkpoint's chat templates asks what day it is."""
    return any(
        DATE in template for templates in _templates(template_folder(checkpoint)).values() for template in templates
    )


def thinking_switch(checkpoint: Checkpoint) -> str | None:
    """The variable by which a checkpoint's chat template is told whether to have the model think; None without one."""
    texts = [text for found in _templates(template_folder(checkpoint)).values() for text in found]
    named = {name for text in texts for name in _variables(text)}
    return next((name for name in SWITCHES if name in named), None)


def takes_tools(template: Any) -> bool:
    """Whether a tokenizer's chat template, or one of several, has a format for functions that can be called."""
    return any(TOOLS in _variables(text) for text in _texts(template))


def template_folder(checkpoint: Checkpoint) -> Path:
    """The folder that the tokenizer, and so the chat template, comes from: the adapter's where it brings one."""
    own = checkpoint.adapter
    return own if own is not None and has_vocabulary(own) else checkpoint.path


def refuse_template(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint with a chat template that is malformed or unsafe, or takes too long or too much memory.

    Raises `CheckpointError` naming the file.
    """
    for path, templates in _templates(template_folder(checkpoint)).items():
        try_out({"templates": templates}, path, CPU_S, FIX)


def _variables(template: str) -> Iterator[str]:
    """Names that a template uses, but for those of fields; nothing of one that can't be cut into words."""
    before = ""
    with suppress(TemplateSyntaxError):  # that it fails is found when it is rendered
        for _, kind, word in Environment(autoescape=False).lex(template):
            if kind == "name" and before != ".":
                yield word
            before = word if kind != "whitespace" else before


def _templates(folder: Path) -> dict[Path, list[str]]:
    """The chat templates of a folder, by the file that holds them."""
    found: dict[Path, list[str]] = {}
    paths = sorted(path for pattern in TEMPLATES for path in folder.glob(pattern))
    if len(paths) > MAX_FILES:
        raise CheckpointError(f"has {len(paths):,} chat templates; the limit is {MAX_FILES}", place=folder, fix=FIX)
    for path in paths:
        safe_file(folder, path.relative_to(folder).as_posix())
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"is larger than {MAX_BYTES:,} bytes", place=path, fix=FIX)
        if path.suffix == ".json":
            found[path] = _texts(read_object(path).get("chat_template"))
        else:
            found[path] = [path.read_text("utf-8", "replace")]
    config = folder / "tokenizer_config.json"
    if config.exists():
        found[config] = _texts(read_object(safe_file(folder, config.name)).get("chat_template"))
    return {path: texts for path, texts in found.items() if texts}


def _texts(value: Any) -> list[str]:
    """The templates in a field: one, or several with their names, as a list or as a mapping; every text in it."""
    texts, left = [], [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            texts.append(one)
        elif isinstance(one, dict | list):
            left += one.values() if isinstance(one, dict) else one
    return texts[::-1]
