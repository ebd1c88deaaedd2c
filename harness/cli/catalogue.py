"""`harness tasks`, `harness data` and `harness doctor`: what there is to run, and to run it on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from inspect import getdoc
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import WIDE, output, print_json, print_lists, print_rows
from harness.cli.options import AsJson
from harness.cli.process.off_network import go_offline
from harness.core.text.counts import numbered

__all__ = ["data", "doctor", "tasks"]

Offline = Annotated[bool, typer.Option("--offline", help="Use only the cache, never the network.")]

_NAMES = {"default_limit": "samples by default", "default_num_fewshot": "worked examples by default"}
"""How people call what JSON has under these keys."""

data = typer.Typer(help="The data sets: list, fetch, verify.", no_args_is_help=True)


def tasks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Tasks to describe; by default the names of all, by suite.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks by suite, or describe some: what they ask, their languages, sizes and metrics.

    [bold]Examples[/bold]

    harness tasks

    harness tasks piqa boolq

    harness tasks --json | jq '.[].task'
    """
    from harness.core import registry

    if not (names or as_json):
        _print_names()
        return
    rows = [
        {
            "task": name,
            "version": found.version,
            "languages": list(found.languages),
            "default_limit": found.default_limit,
            "default_num_fewshot": found.default_num_fewshot,
            "metrics": [metric.name for metric in found.metrics],
            "description": _first_line(found),
        }
        for name in names or registry.names("harness.tasks")
        for found in (registry.task(name),)
    ]
    if as_json:
        print_json(rows)
        return
    print_lists(_described(rows))


def _described(rows: Sequence[Mapping[str, object]]) -> Iterator[dict[str, object]]:
    """The rows as people read them."""
    for row in rows:
        yield {_NAMES.get(name, name): _cell(value) for name, value in row.items()}


def _print_names() -> None:
    """Each suite with its tasks, then those that no suite lists."""
    from harness.core import registry

    suites = {name: list(registry.suite(name).tasks) for name in registry.names("harness.suites")}
    listed = {task for several in suites.values() for task in several}
    suites["in no suite"] = [name for name in registry.names("harness.tasks") if name not in listed]
    print_rows("", ("suite", "tasks"), [(name, ", ".join(several)) for name, several in suites.items() if several])
    output.print(Text("`harness tasks NAME` describes one; `--task NAME` of `harness eval` runs one", style="dim"))


@data.command("list")
def list_data(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets to describe; by default a list of all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the data sets with their licences, or describe some: their sources, and what was left out of them.

    [bold]Examples[/bold]

    harness data list

    harness data list piqa boolq

    harness data list --json | jq '.[].licence'
    """
    from harness.data import all_datasets, find

    rows = [
        {
            "data": one.name,
            "title": one.title,
            "rows": one.row_count,
            "languages": list(one.languages),
            "licence": one.licence,
            "source": one.source.description,
            "dropped": one.dropped,
            **({"citation": one.citation, "homepage": one.homepage, "sha256": one.sha256} if as_json or names else {}),
        }
        for one in (map(find, names) if names else all_datasets())
    ]
    if as_json or not names:
        shown = ("data", "rows", "languages", "licence", *(["title"] if output.width >= WIDE else []))
        _print(rows, as_json, "data sets", shown)
    else:
        print_lists(_described(rows))
    if not (as_json or names):
        output.print(Text("`harness data list NAME` describes one", style="dim"))


@data.command("fetch")
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets. \\[default: all]")] = None,
) -> None:
    """Fetch data sets into the cache, so that later runs need no network.

    [bold]Example[/bold]: harness data fetch piqa boolq
    """
    from harness.data import all_datasets, fetch

    for name in names or [one.name for one in all_datasets()]:
        loaded = fetch(name)
        output.print(Text(f"{name}: {numbered(len(loaded.rows), 'row')}, SHA-256 {loaded.sha256}"))


@data.command("verify")
def verify_data(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets. \\[default: all]")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the cached data sets against their pinned SHA-256 digests.

    [bold]Example[/bold]: harness data verify
    """
    from harness.data import all_datasets, verify

    words = {True: "ok", False: "changed", None: "not in the cache"}
    rows = [
        {"data": one.name, "status": words[one.ok], "sha256": one.found_sha256, "reason": one.reason}
        for name in names or [one.name for one in all_datasets()]
        for one in verify(name)
    ]
    _print(rows, as_json, "verification", ("data", "status", "reason"))
    if any(row["status"] == "changed" for row in rows):
        raise typer.Exit(2)


def doctor(
    model: Annotated[str | None, typer.Option(help="Check this checkpoint instead of the machine.")] = None,
    kind: Annotated[str | None, typer.Option(help="With --model: read the checkpoint as this kind.")] = None,
    base: Annotated[str | None, typer.Option(help="With --model: the model below an adapter.")] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Check what can be measured on this machine, and why the rest can't; or how a checkpoint will be read.

    [bold]Examples[/bold]

    harness doctor

    harness doctor --model ./my-checkpoint
    """
    go_offline(offline, model)
    if model is None:
        from harness.examine.doctor import examine

        findings = examine(offline=offline)
    else:
        from harness.examine.checkup import examine_model

        findings = examine_model(model, offline=offline, kind=kind, base=base)
    _print([asdict(one) for one in findings], as_json, model or "this machine")


def _first_line(described: object) -> str:
    return (getdoc(type(described)) or "").split("\n\n", 1)[0].replace("\n", " ")


def _print(rows: Sequence[Mapping[str, object]], as_json: bool, title: str, shown: Sequence[str] | None = None) -> None:
    """The rows as JSON, or a table of the columns `shown`, else of all."""
    if as_json:
        print_json(rows)
        return
    columns = shown or (list(rows[0]) if rows else [])
    print_rows(title, columns, [[_cell(row[column]) for column in columns] for row in rows])


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
