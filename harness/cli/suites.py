"""`harness suites`: what there is to run, and what a suite stands for."""

from inspect import getdoc
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import output, print_json, print_rows
from harness.cli.options import AsJson
from harness.cli.process.off_network import go_offline

__all__ = ["suites"]


suites = typer.Typer()


@suites.callback(invoke_without_command=True)
def list_suites(context: typer.Context, as_json: AsJson = False) -> None:
    """List the suites (with those of installed plug-ins) and the presets, or show one of them.

    [bold]Examples[/bold]

    harness suites --json

    harness suites show ci > my-suite.yaml
    """
    if context.invoked_subcommand is not None:
        return
    from harness.core import registry
    from harness.suitefiles.declared import read_suite_file
    from harness.suitefiles.selection import presets

    rows = [
        {
            "suite": name,
            "tasks": list(found.tasks),
            "description": (getdoc(type(found)) or "").split("\n\n", 1)[0].replace("\n", " "),
        }
        for name in registry.names("harness.suites")
        for found in (registry.suite(name),)
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("suite", "tasks", "description")
    print_rows("suites", columns, [(row["suite"], ", ".join(row["tasks"]), row["description"]) for row in rows])
    files = [(name, read_suite_file(path).description) for name, path in sorted(presets().items())]
    output.print("")
    print_rows("presets: `harness suites show NAME` prints one as a suite file", ("preset", "description"), files)


@suites.command("show")
def show_suite_command(
    name: Annotated[str, typer.Argument(help="A suite, a preset, or the path of a suite file.")],
    count: Annotated[
        bool, typer.Option("--count", help="Also load the data and count the requests of each task.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="With --count: use only the cache, never the network.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a suite as a suite file, with every task, size and setting spelt out.

    [bold]Examples[/bold]

    harness suites show quick

    harness suites show full --count --json | jq '.tasks[] | {name, requests}'
    """
    from harness.suitefiles.showing import show_suite
    from harness.tasks.options import TaskOptions

    go_offline(offline)
    shown = show_suite(name, TaskOptions(offline=offline, outline=not count))
    counts = None
    if count:
        from harness.run.work import prepare

        work = prepare(shown.selection.planned, offline=offline)
        counts = [sum(map(len, one.requests)) for one in work]
    if not as_json:
        output.print(Text(shown.to_yaml(counts).rstrip()), soft_wrap=True)
        return
    value = shown.to_json()
    for task, requests in zip(value["tasks"], counts or [], strict=False):
        task["requests"] = requests
    print_json(value)
