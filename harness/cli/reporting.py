"""`harness report`: a sealed run as PDF, HTML or Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from harness.cli.console import output
from harness.cli.options import with_options
from harness.cli.process.progress_bar import progress_bar
from harness.cli.runs import Output, Run, sealed_run
from harness.core.errors import InputError, UnknownName
from harness.core.options import option

if TYPE_CHECKING:
    from harness.decision.verdicts import Verdict
    from harness.record import RunRecord
    from harness.signing import SigningKey

__all__ = ["one_of", "report", "write_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What a report shows, and where it goes."""

    pdf: Path | None = option(None, "Write a PDF here: archivable, accessible, with the seal inside.")
    html: Path | None = option(None, "Write one HTML file here.")
    markdown: Path | None = option(None, "Write Markdown here.")
    gate: str | None = option(None, "Show only the verdicts of this policy. [default: all that are kept with the run]")
    baseline: str | None = option(None, "A run to compare with: its folder, or the first characters of its id.")
    language: str = option("en", "Language: en or zh.")
    paper: str = option("a4", "Paper size: a4 or us-letter.")
    form: str | None = option(
        None,
        "Fill in a form instead, as far as the record goes: annex-iv, gpai, nist-ai-rmf, iso-42001 or gbt-45654.",
    )
    intended_use: str = option("", "What the model is meant for, in your words.")
    organisation: str = option("", "Who publishes the report.")
    signer: str = option("", "Who answers for the report.")
    key: Path | None = option(
        None, "Sign each file written with this private key; the signature is kept beside it as FILE.dsse.json."
    )

    @property
    def has_file(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.pdf or self.html or self.markdown)


@with_options(ReportOptions, "asked")
def report(*, run: Run, asked: ReportOptions, output_folder: Output = Path("runs")) -> None:
    """Write a report on a sealed run that an auditor can read and check; the same run gives the same bytes.

    [bold]Examples[/bold]

    harness report 1a2b3c --pdf audit.pdf

    harness report 1a2b3c --pdf audit.pdf --baseline 4d5e6f --language zh

    harness report 1a2b3c --pdf audit.pdf --key keys/harness.key

    harness report 1a2b3c --form annex-iv --pdf annex-iv.pdf
    """
    if not asked.has_file:
        raise InputError(
            "nothing to write", place="harness report", fix="Give --pdf FILE, --html FILE or --markdown FILE"
        )
    if asked.pdf and asked.language == "zh":
        from harness.report.fonts import require_chinese

        require_chinese()  # before anything is read that takes long
    record = sealed_run(run, output_folder)
    signing = None if asked.key is None else _signing_key(asked.key)
    baseline = None if asked.baseline is None else sealed_run(asked.baseline, output_folder)
    for path, made in _writers(record, baseline, asked):
        if path is not None:
            write_file(path, made())
            if signing is not None:
                _sign(record.folder, path, signing)


def _writers(
    record: "RunRecord", baseline: "RunRecord | None", asked: ReportOptions
) -> list[tuple[Path | None, Callable[[], bytes]]]:
    """Each file that may be asked for, and what makes its bytes."""
    from harness import report as reports
    from harness.decision.verdicts import latest_verdicts
    from harness.report.forms import FORMS, filled_form

    language = one_of("--language", asked.language, reports.LANGUAGES)
    paper = one_of("--paper", asked.paper, reports.PAPERS)
    context = reports.ReportContext(
        record=record,
        words=reports.Words(language),
        verdicts=_chosen(latest_verdicts(record.folder), asked.gate),
        baseline=baseline,
        statements=reports.Statements(
            intended_use=asked.intended_use, organisation=asked.organisation, signer=asked.signer
        ),
    )
    if asked.form is None:
        document = reports.build_document(context)
    else:
        document = filled_form(one_of("--form", asked.form, FORMS), context)
    return [
        (asked.markdown, lambda: reports.to_markdown(document).encode()),
        (asked.html, lambda: reports.to_html(document).encode()),
        (asked.pdf, lambda: reports.to_pdf(document, paper=paper, attachments=reports.attachments(record.folder))),
    ]


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
