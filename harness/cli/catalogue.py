"""`harness tasks`, `harness data` and `harness doctor`: what there is to run, and to run it on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import getdoc
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import output, print_json, print_rows
from harness.cli.process.off_network import go_offline

__all__ = ["data", "doctor", "tasks"]

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use only the cache, never the network.")]

data = typer.Typer(help="The data sets: list, fetch, verify.", no_args_is_help=True)


def tasks(as_json: AsJson = False) -> None:
    """List the tasks with their data, sizes and metrics.

    [bold]Example[/bold]: harness tasks
    """
    from harness.core import registry

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
        for name in registry.names("harness.tasks")
        for found in (registry.task(name),)
    ]
    _print(rows, as_json, "tasks")


@data.command("list")
def list_data(as_json: AsJson = False) -> None:
    """List the data sets with licence, source and what their publisher left out.

    [bold]Example[/bold]: harness data list --json | jq '.[].licence'
    """
    from harness.data import all_datasets

    rows = [
        {
            "data": one.name,
            "title": one.title,
            "rows": one.row_count,
            "languages": list(one.languages),
            "licence": one.licence,
            "source": one.source.description,
            "dropped": one.dropped,
            **({"citation": one.citation, "homepage": one.homepage, "sha256": one.sha256} if as_json else {}),
        }
        for one in all_datasets()
    ]
    _print(rows, as_json, "data sets")


@data.command("fetch")
def fetch_data(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; all of them if none is named.")] = None,
) -> None:
    """Fetch data sets into the cache, so that later runs need no network.

    [bold]Example[/bold]: harness data fetch piqa boolq
    """
    from harness.data import all_datasets, fetch

    for name in names or [one.name for one in all_datasets()]:
        loaded = fetch(name)
        output.print(Text(f"{name}: {len(loaded.rows)} rows, SHA-256 {loaded.sha256}"))


@data.command("verify")
def verify_data(
    names: Annotated[list[str] | None, typer.Argument(help="Data sets; all of them if none is named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hash cached data sets again and compare with the pinned digests.

    [bold]Example[/bold]: harness data verify
    """
    from harness.data import all_datasets, verify

    words = {True: "ok", False: "changed", None: "not in the cache"}
    rows = [
        {"data": one.name, "status": words[one.ok], "sha256": one.found_sha256, "reason": one.reason}
        for name in names or [one.name for one in all_datasets()]
        for one in verify(name)
    ]
    _print(rows, as_json, "verification")
    if any(row["status"] == "changed" for row in rows):
        raise typer.Exit(2)


def doctor(
    model: Annotated[str | None, typer.Option(help="Look at this checkpoint instead of the machine.")] = None,
    kind: Annotated[str | None, typer.Option(help="With --model: read the checkpoint as this kind.")] = None,
    base: Annotated[str | None, typer.Option(help="With --model: the model that an adapter is put over.")] = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say what this machine can do, what can't be measured on it, and why; or how a checkpoint will be read.

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


def _print(rows: Sequence[Mapping[str, object]], as_json: bool, title: str) -> None:
    if as_json:
        print_json(rows)
        return
    columns = list(rows[0]) if rows else []
    print_rows(title, columns, [[_cell(row[column]) for column in columns] for row in rows])


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
