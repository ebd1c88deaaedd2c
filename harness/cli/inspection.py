"""`harness inspect`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import output, print_json, print_rows
from harness.cli.options import AsJson
from harness.cli.process.off_network import go_offline
from harness.core.checkpoints import EndpointOptions

if TYPE_CHECKING:
    from harness.examine.inspection import Inspection

__all__ = ["inspect_command"]

_GB = 1e9
_MB = 1e6
_ROWS = (
    "kind",
    "architecture",
    "origin",
    "folder",
    "parameters",
    "dtype",
    "size",
    "memory",
    "room",
    "window",
    "vocabulary",
    "labels",
    "chat template",
    "fingerprint",
    "parent",
)


def inspect_command(
    model: Annotated[
        str,
        typer.Option(
            help="A folder, a .gguf file, a hub id (org/name or org/name@revision), a served model "
            "(openai:http://HOST/v1#NAME), smollm2-135m or all-minilm-l6-v2."
        ),
    ] = "smollm2-135m",
    kind: Annotated[
        str | None,
        typer.Option(
            help="Read the checkpoint as this kind: causal, masked, seq2seq, classifier, tagger, encoder, "
            "vision_language, audio_language, contrastive."
        ),
    ] = None,
    base: Annotated[str | None, typer.Option(help="The model below an adapter.")] = None,
    api_key_env: Annotated[
        str, typer.Option(help="Environment variable that holds the key of a served model.")
    ] = "OPENAI_API_KEY",
    offline: Annotated[bool, typer.Option("--offline", help="Use only the cache, never the network.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a checkpoint is, and which suites and tasks make sense for it, without loading it.

    [bold]Examples[/bold]

    harness inspect --model ./my-checkpoint

    harness inspect --model org/name@main --json | jq '.files'
    """
    from harness.examine.inspection import inspect_checkpoint

    go_offline(offline, model, base)
    endpoint = EndpointOptions(api_key_env=api_key_env)
    found = inspect_checkpoint(model, offline=offline, kind=kind, base=base, endpoint=endpoint)
    described = found.described()
    if as_json:
        print_json(described)
        return
    cells = _cells(described)
    print_rows(model, ("", ""), [(name, cells[name]) for name in _ROWS if cells[name]])
    output.print("")
    print_rows("files", ("file", "SHA-256"), sorted(found.checkpoint.files.items()))
    output.print("")
    _print_tasks(found)
    if found.remote_code:
        names = ", ".join(found.remote_code)
        output.print(Text(f"loading it would run Python of its own ({names}): refused without --trust-remote-code"))
    for note in found.checkpoint.notes:
        output.print(Text(note, style="dim"))


def _cells(one: Mapping[str, object]) -> dict[str, str]:
    """Each row's text; empty where there is nothing to say."""
    labels = one["labels"]
    assert isinstance(labels, list)
    return {
        "kind": f"{one['kind']} ({one['kind_title']})",
        "architecture": str(one["architecture"]),
        "origin": str(one["origin"]),
        "folder": str(one["folder"] or ""),
        "parameters": _number(one["parameter_count"]),
        "dtype": _dtype(str(one["dtype"]), str(one["computed_dtype"])),
        "size": _size(one),
        "memory": _memory(one),
        "room": str(one["fits"] or ""),
        "window": _number(one["max_length"], " tokens"),
        "vocabulary": _number(one["vocabulary_size"], " tokens"),
        "labels": ", ".join(map(str, labels)) or (f"{one['label_count']}, without names" if one["label_count"] else ""),
        "chat template": str(one["chat_template_sha256"] or "none"),
        "fingerprint": str(one["fingerprint"]),
        "parent": str(one["parent_fingerprint"] or ""),
    }


def _dtype(stored: str, computed: str) -> str:
    from harness.checkpoints.loading.dtypes import SERVED

    if stored == SERVED:
        return "the server's"
    return stored if stored == computed else f"{stored}, computed in {computed} on a processor"


def _size(one: Mapping[str, object]) -> str:
    bits = one["bits_per_weight"]
    return _amount(one["size_bytes"], f", {bits:.3g} bits per weight" if isinstance(bits, float) else "")


def _memory(one: Mapping[str, object]) -> str:
    widths, needed = one["memory_by_bits"], one["memory_bytes"]
    assert isinstance(widths, dict)
    told = ", ".join(
        _amount(size, f" in {bits} bits") for bits, size in widths.items() if isinstance(needed, int) and size < needed
    )
    return _amount(one["memory_bytes"], f" for the weights alone (estimated){f'; {told}' if told else ''}")


def _number(value: object, unit: str = "") -> str:
    return f"{value:,}{unit}" if isinstance(value, int) else "not known"


def _amount(value: object, more: str) -> str:
    if not isinstance(value, int):
        return "not known"
    size = f"{value / _GB:.3g} GB" if value >= _GB / 10 else f"{value / _MB:.3g} MB"
    return size + more


def _print_tasks(found: "Inspection") -> None:
    tasks, rows = found.tasks, []
    for suite in dict.fromkeys(verdict.suite for verdict in tasks):
        defined = [verdict.task for verdict in tasks if verdict.suite == suite and verdict.reason is None]
        defined += ["figures of the run as a whole"] if suite in found.deriving else []
        rows.append((suite, ", ".join(defined) or "none"))
    print_rows("defined for it", ("suite", "tasks"), rows)
    output.print("")
    for reason in dict.fromkeys(verdict.reason for verdict in tasks if verdict.reason):
        names = dict.fromkeys(verdict.task for verdict in tasks if verdict.reason == reason)
        output.print(Text(f"not defined: {', '.join(names)}: {reason}"))
