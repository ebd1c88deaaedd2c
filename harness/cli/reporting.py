"""`harness report`: a sealed run as PDF, HTML or Markdown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from harness.cli.console import output, progress_bar
from harness.cli.runs import Output, Run, sealed_run
from harness.core.errors import InputError, UnknownName

if TYPE_CHECKING:
    from harness.decision.verdicts import Verdict
    from harness.signing import SigningKey

__all__ = ["one_of", "report", "write_file"]


def report(
    run: Run,
    pdf: Annotated[
        Path | None, typer.Option(help="Write a PDF here: archivable, accessible, with the seal inside.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one HTML file here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown here.")] = None,
    gate: Annotated[
        str | None,
        typer.Option(help="Show the verdicts of this policy alone; by default, all verdicts stored with the run."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="A run to compare with: its folder, or the beginning of its id.")
    ] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    paper: Annotated[str, typer.Option(help="a4 or us-letter.")] = "a4",
    form: Annotated[
        str | None,
        typer.Option(
            help="Fill a form instead, as far as the record goes: annex-iv, gpai, nist-ai-rmf, iso-42001 or gbt-45654."
        ),
    ] = None,
    intended_use: Annotated[str, typer.Option(help="What the model is meant for, in your words.")] = "",
    organisation: Annotated[str, typer.Option(help="Who publishes the report.")] = "",
    signer: Annotated[str, typer.Option(help="Who answers for the report.")] = "",
    key: Annotated[
        Path | None, typer.Option(help="Sign each file written with this private key: FILE.dsse.json beside it.")
    ] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Write a report on a sealed run that an auditor can read and check; the same run gives the same bytes.

    [bold]Examples[/bold]

    harness report 1a2b3c --pdf audit.pdf

    harness report 1a2b3c --pdf audit.pdf --baseline 4d5e6f --language zh

    harness report 1a2b3c --pdf audit.pdf --key keys/harness.key

    harness report 1a2b3c --form annex-iv --pdf annex-iv.pdf
    """
    if not (pdf or html or markdown):
        raise InputError(
            "nothing to write", place="harness report", fix="Give --pdf FILE, --html FILE or --markdown FILE"
        )
    if pdf and language == "zh":
        from harness.report.fonts import require_chinese

        require_chinese()  # before anything is read that takes long
    record = sealed_run(run, output_folder)
    signing = None if key is None else _signing_key(key)
    from harness import report as reports
    from harness.decision.verdicts import latest_verdicts
    from harness.report.forms import FORMS, filled_form

    said = one_of("--language", language, reports.LANGUAGES)
    sheet = one_of("--paper", paper, reports.PAPERS)
    context = reports.ReportContext(
        record=record,
        words=reports.Words(said),
        verdicts=_chosen(latest_verdicts(record.folder), gate),
        baseline=None if baseline is None else sealed_run(baseline, output_folder),
        statements=reports.Statements(intended_use=intended_use, organisation=organisation, signer=signer),
    )
    document = reports.build_document(context) if form is None else filled_form(one_of("--form", form, FORMS), context)
    writers: list[tuple[Path | None, Callable[[], bytes]]] = [
        (markdown, lambda: reports.to_markdown(document).encode()),
        (html, lambda: reports.to_html(document).encode()),
        (pdf, lambda: reports.to_pdf(document, paper=sheet, attachments=reports.attachments(record.folder))),
    ]
    for path, made in writers:
        if path is not None:
            write_file(path, made())
            if signing is not None:
                _sign(record.folder, path, signing)


def _signing_key(path: Path) -> "SigningKey":
    """The key, before any work is done; a warning about it is shown."""
    from harness.signing import load_signing_key

    with progress_bar():
        return load_signing_key(path)


def _sign(folder: Path, path: Path, key: "SigningKey") -> None:
    from harness.signing import attest_file

    output.print(Text(f"signed {attest_file(folder, path, key)} (`harness verify {path}` checks it)"))


def one_of(option: str, given: str, known: Sequence[str]) -> Any:
    """What was given, if it is known. Raises `UnknownName`."""
    if given not in known:
        raise UnknownName(f"value of {option}", given, known)
    return cast(Any, given)


def _chosen(verdicts: Sequence["Verdict"], policy: str | None) -> Sequence["Verdict"]:
    if policy is None:
        return verdicts
    chosen = [one for one in verdicts if one.policy == policy]
    if not chosen:
        raise UnknownName("policy with a verdict on this run", policy, {one.policy for one in verdicts})
    return chosen


def write_file(path: Path, content: bytes) -> None:
    """Write a file of the user's. Raises `InputError` where it can't be."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"can't be written ({error.strerror})", place=path, fix="Name another file") from error
    output.print(Text(f"wrote {path} ({len(content):,} bytes)"))
