"""The `harness` command. Heavy modules are imported by the command that needs them, so that help is instant."""

import atexit
import io
import os
import re
import signal
import sys
from importlib.metadata import version
from inspect import getdoc
from types import FrameType
from typing import Annotated

import typer

from harness.cli import (
    catalogue,
    compressing,
    deciding,
    evaluation,
    indexing,
    inspection,
    leaderboard,
    publishing,
    reporting,
    results,
    sealing,
    suites,
    until_decided,
)
from harness.cli.console import fitted_width, output, print_text
from harness.cli.process.bus_error import end_clearly
from harness.cli.process.guard import guarded
from harness.cli.process.off_network import stay_off
from harness.cli.screens.help import HelpedCommand, HelpedGroup
from harness.core.process.time_limit import end_where_stuck

__all__ = ["app", "main"]

app = typer.Typer(
    name="harness",
    help="Measure how good, fair, robust, explainable and frugal a language-model checkpoint is.",
    epilog="Exit codes: 0 done; 1 a gate failed; 2 bad input or error; 3 partial or inconclusive.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_text(f"harness {version('responsible-eval-harness')}\n")
        raise typer.Exit


@app.callback()
def _begin(
    ctx: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    stay_off(ctx)


app.command("eval")(evaluation.eval_command)
app.command("inspect")(inspection.inspect_command)
app.command("show")(results.show)
app.command("index")(indexing.index)
app.command("runs")(results.runs)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("report")(reporting.report)
app.add_typer(suites.suites, name="suites")
app.command("tasks")(catalogue.tasks)
app.add_typer(catalogue.data, name="data")
app.command("doctor")(catalogue.doctor)
app.add_typer(sealing.keys, name="keys")
app.command("seal")(sealing.seal)
app.command("verify")(sealing.verify_command)
app.command("prove")(sealing.prove_command)
app.command("card")(publishing.card)
app.command("export")(publishing.export_command)
app.command("compare")(deciding.compare_command)
app.command("compress-report")(compressing.compress_report)
app.command("gate")(deciding.gate_command)
app.command("decide")(until_decided.decide_command)
app.command("rank")(until_decided.rank_command)
app.add_typer(deciding.policy, name="policy")


def _let_flow(group: typer.Typer) -> None:
    """Have the help of each command break its lines where the window ends, and not where those of its docstring do."""
    group.info.cls = HelpedGroup
    for one in group.registered_commands:
        one.cls = HelpedCommand
        one.help = re.sub(r"(?<!\n)\n(?!\n)", " ", getdoc(one.callback) or "")
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _let_flow(inner.typer_instance)


_let_flow(app)


def main() -> None:
    """Run the command line and leave with its exit code: see `harness.cli.process.guard`."""
    signal.signal(signal.SIGTERM, _terminate)
    end_clearly()
    end_where_stuck()
    # Advice about kernels that would be faster is not the harness's word; whoever wants it sets the variable.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    output.width = fitted_width()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal or pipe that is not UTF-8 gets what it can't show as an escape, not an exception.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = guarded(app)
    finally:
        # Registered last, so it runs first: a second Ctrl-C would break off the libraries' tidying up with a traceback.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
