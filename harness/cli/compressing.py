"""`harness compress-report`. It imports what it needs, so that help is instant."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli.console import output, print_json, print_rows
from harness.cli.deciding import print_differences
from harness.cli.options import AsJson, with_options
from harness.cli.process.interrupts import interruptible
from harness.cli.process.progress_bar import progress_bar
from harness.cli.reporting import one_of, write_file
from harness.cli.runs import sealed_run
from harness.cli.screens.panels import EVALUATION
from harness.core.errors import InputError, UnknownName
from harness.core.text.counts import numbered
from harness.run.options import EvalOptions

if TYPE_CHECKING:
    from harness.decision.compression import Compressed, Compression
    from harness.record import RunRecord

__all__ = ["compress_report"]

_USUAL = "quick"


@with_options(EvalOptions, panels=EVALUATION)
def compress_report(
    *,
    parent: Annotated[str, typer.Argument(help="The original model, or a run of it.")],
    children: Annotated[list[str], typer.Argument(help="The compressed models, or runs of them.")],
    suite: Annotated[
        list[str] | None,
        typer.Option(help=f"What to evaluate, as for `harness eval`. \\[default: {_USUAL}]"),
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="Write a PDF here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write one HTML file here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown here.")] = None,
    language: Annotated[str, typer.Option(help="Language of these files: en or zh.")] = "en",
    as_json: AsJson = False,
    options: EvalOptions,
) -> None:
    """Report what compression cost: distance from the original, scores by suite, bytes, joules and seconds.

    Models are evaluated first, each compressed one also against the original (as with --reference); finished runs are
    taken as they are.

    [bold]Examples[/bold]

    harness compress-report org/name ./name-int8 ./name-2-4-pruned --html cost.html

    harness compress-report 1a2b3c 4d5e6f 7a8b9c --json
    """
    from harness.decision.compression import compression
    from harness.report.words import LANGUAGES

    one_of("--language", language, LANGUAGES)
    if options.reference is not None:
        raise InputError("is the parent here", place=f"--reference {options.reference}", fix="Leave it out")
    runs = _runs([parent, *children], options.output)
    if runs is None:
        found = _evaluated(parent, children, suite or [_USUAL], options)
    else:
        if suite:
            raise InputError("has no effect on finished runs", place="--suite", fix="Leave it out")
        first, *others = runs
        found = compression(first, others, folder=options.output if options.output.is_dir() else None)
    _write(found, language, {"markdown": markdown, "html": html, "pdf": pdf})
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)


def _runs(names: Sequence[str], folder: Path) -> "list[RunRecord] | None":
    """The runs that the names stand for; None where none does. Raises `InputError` where only some do."""
    found: list[RunRecord | None] = []
    for name in names:
        try:
            found.append(sealed_run(name, folder))
        except UnknownName:
            found.append(None)
    known = [one for one in found if one is not None]
    if known and len(known) < len(names):
        raise InputError(
            "is not a run, but others are",
            place=next(name for name, one in zip(names, found, strict=True) if one is None),
            fix="Give only runs, or only models",
        )
    return known or None


def _evaluated(parent: str, children: Sequence[str], suite: Sequence[str], options: EvalOptions) -> "Compression":
    from harness.decision.compression import compression
    from harness.run.compressing import evaluate_family

    with interruptible(), redirect_stdout(sys.stderr), progress_bar() as progress:
        family = evaluate_family(parent, children, suite=suite, options=options, progress=progress)
    return compression(family.parent, family.children, family.beside, options.output, family.refused)


def _write(found: "Compression", language: Any, files: dict[str, Path | None]) -> None:
    if not any(files.values()):
        return
    from harness import report as reports
    from harness.report.compression import compression_document

    document = compression_document(found, reports.Words(language))
    makers = {
        "markdown": lambda: reports.to_markdown(document).encode(),
        "html": lambda: reports.to_html(document).encode(),
        "pdf": lambda: reports.to_pdf(document),
    }
    for kind, path in files.items():
        if path is not None:
            write_file(path, makers[kind]())


def _print(found: "Compression") -> None:
    from harness.core.text.display import interval, number

    feet = [found.footprint, *(one.footprint for one in found.children)]
    names = [found.parent.spec.model, *(one.comparison.second_model for one in found.children)]
    rows = (
        (name, *(number(value) for _, _, value in each), unit)
        for each in zip(*(foot.rows() for foot in feet), strict=True)
        for name, unit, _ in [each[0]]
        if any(value is not None for _, _, value in each)
    )
    print_rows("what they take", ("", *names, "unit"), rows)
    for one in found.children:
        output.print(Text(f"\n{one.comparison.second_model}, against {found.parent.spec.model}", style="bold"))
        for line in one.comparison.conditions:
            output.print(Text(f"  {line}"))
        if one.reason is not None:
            output.print(Text(str(one.reason)))
        else:
            cells = (
                (f"{each.task}/{each.metric}", number(each.value), interval(each.low, each.high), each.n, each.unit)
                for each in one.distances()
            )
            print_rows("distance from the parent", ("what", "value", "95 % interval", "n", "unit"), cells)
        print_differences("by dimension, child less parent", one.by_dimension())
        output.print(Text(f"{numbered(len(one.comparison.flips), 'sample')} flipped: `harness compare` shows which"))


def _as_json(found: "Compression") -> dict[str, Any]:
    return {
        "parent": {
            "run_id": found.parent.run_id,
            "model": found.parent.spec.model,
            "footprint": asdict(found.footprint),
        },
        "children": [_child(one) for one in found.children],
    }


def _child(one: "Compressed") -> dict[str, Any]:
    from harness.cli.console import estimates_as_json

    return {
        "footprint": asdict(one.footprint),
        "comparison": asdict(one.comparison),
        "distance": estimates_as_json(one.distance),
        "distance_run_id": one.distance_run_id,
        "reason": one.reason,
    }
