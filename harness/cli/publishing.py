"""`harness card` and `harness export`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import output, print_text
from harness.cli.runs import Output, Run, sealed_run

__all__ = ["card", "export_command"]


def card(
    run: Run,
    out: Annotated[
        Path | None, typer.Option(help="File to write the card to, such as README.md. \\[default: standard output]")
    ] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Write a Hugging Face model card of a run, with its scores as model-index.

    [bold]Example[/bold]: harness card 1a2b3c --out README.md
    """
    from harness.publishing import model_card
    from harness.record.files import write_whole

    made = str(model_card(sealed_run(run, output_folder)))
    if out is None:
        print_text(f"{made}\n")
        return
    write_whole(out, made.encode())
    output.print(Text(f"card: {out}"))


def export_command(
    run: Run,
    out: Annotated[Path, typer.Option(help="The file to write; for mlflow, the folder of a file store.")],
    form: Annotated[str, typer.Option("--format", help="csv, every-eval-ever, lm-eval, mlflow or oscal.")] = "csv",
    output_folder: Output = Path("runs"),
) -> None:
    """Write the scores of a run in a format that another tool reads.

    [bold]Examples[/bold]

    harness export 1a2b3c --out scores.csv

    harness export 1a2b3c --format mlflow --out mlruns
    """
    from harness.publishing import export as write

    output.print(Text(f"exported: {write(sealed_run(run, output_folder), form, out)}"))
