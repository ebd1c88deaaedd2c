"""`harness keys`, `harness seal`, `harness verify` and `harness prove`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from harness.cli.console import errors, output, print_json
from harness.cli.options import AsJson, with_options
from harness.cli.process.off_network import go_offline, need_none
from harness.cli.process.progress_bar import progress_bar
from harness.cli.runs import Output, Run, find_folder, find_run
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError
from harness.core.options import option
from harness.core.process.paths import is_file
from harness.core.text.counts import numbered

if TYPE_CHECKING:
    from harness.signing import ProofReport, PublicKey, Report
    from harness.signing.verification import Signature

__all__ = ["keys", "prove_command", "seal", "verify_command"]

_SHOWN = 5
_DIFFERS = 2
_PARTIAL = 3

keys = typer.Typer(help="Keys that sign runs.", no_args_is_help=True)


@keys.command("new")
def new(
    out: Annotated[Path, typer.Option(help="The folder to write the keys to.")] = Path("keys"),
) -> None:
    """Make an Ed25519 key pair: harness.key signs and stays secret, harness.pub verifies and can be published.

    The private key is encrypted where HARNESS_KEY_PASSPHRASE is set.

    [bold]Example[/bold]: harness keys new --out keys
    """
    from harness.signing import new_keys

    private, public, key = new_keys(out)
    output.print(Text(f"private key: {private} (keep it secret, and out of version control)"))
    output.print(Text(f"public key:  {public}"))
    output.print(Text(f"key id:      {key.id}"))


def seal(
    run: Run,
    key: Annotated[Path | None, typer.Option(help="The private key, as `harness keys new` writes it.")] = None,
    timestamp: Annotated[
        Path | None,
        typer.Option(
            help="A timestamp of the run's seal.json from an authority (RFC 3161, .tsr), to be kept with the run."
        ),
    ] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Sign a finished run: all its files, the digests of checkpoint and data, and the verdicts of gates.

    [bold]Examples[/bold]

    harness seal 1a2b3c --key keys/harness.key

    harness seal 1a2b3c --timestamp seal.tsr
    """
    from harness.signing import add_timestamp, attest_run, load_signing_key

    if timestamp is not None:
        output.print(Text(f"timestamp: {add_timestamp(find_folder(run, output_folder), timestamp)}"))
    if key is None:
        if timestamp is None:
            raise InputError("nothing to do", place="harness seal", fix="Give --key FILE, --timestamp FILE or both")
        return
    with progress_bar():
        signing = load_signing_key(key)
    for path in attest_run(find_run(run, output_folder), signing):
        output.print(Text(f"signed: {path}"))
    output.print(Text(f"key id: {signing.public.id}"))


def prove_command(
    run: Run,
    sample: Annotated[str, typer.Argument(help="A sample's id, TASK/ID or SUITE/TASK/ID.")],
    out: Annotated[Path | None, typer.Option(help="Write the proof to this file.")] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Prove that a sample belongs to a run without showing the others; `harness verify PROOF.json` checks it.

    [bold]Example[/bold]: harness prove 1a2b3c piqa/27 --out proof.json
    """
    from harness.record.files import write_whole
    from harness.signing import prove as prove_sample

    proof = prove_sample(find_run(run, output_folder), sample)
    if out is None:
        print_json(proof)
        return
    write_whole(out, json.dumps(proof, ensure_ascii=False, indent=2).encode() + b"\n")
    if proof["attestation"] is None:
        errors.print(Text("the run is not signed, so nobody vouches for this proof: `harness seal` signs it"))
    output.print(Text(f"proof: {out}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeating:
    """What a check computes again, and with what."""

    rerun: int | None = option(None, "Ask the checkpoint about this many random samples again.", min=1)
    rescore: bool = option(
        False, "Compute the scores again from the recorded answers, and the estimates from the scores.", "--rescore"
    )
    suite: tuple[str, ...] = option((), "With --rescore: the suite file that the run was made with.")
    allow_code_execution: bool = option(
        False, "With --rescore: run the programs that the model wrote, in a sandbox.", "--allow-code-execution"
    )
    nonce: str | None = option(
        None, "With --rerun: a word of your own, so that nobody can predict which samples are drawn."
    )
    model: str | None = option(
        None, "With --rerun: the checkpoint. By default what the record calls it, if that lies below this folder."
    )
    base: str | None = option(None, "With --rerun: the model below an adapter.")
    trust_remote_code: bool = option(
        False, "With --rerun: run the Python code that comes with the checkpoint.", "--trust-remote-code"
    )
    api_key_env: str = option(
        "OPENAI_API_KEY", "With --rerun: environment variable that holds the key of the served --model."
    )
    offline: bool = option(False, "With --rerun: use only the cache, never the network.", "--offline")


@with_options(Repeating, "again")
def verify_command(
    *,
    run: Annotated[str, typer.Argument(help="A run's folder or the beginning of its id; a proof; a signed file.")],
    public_key: Annotated[
        Path | None,
        typer.Option(help="The public key that it must be signed with, from someone you trust."),
    ] = None,
    timestamp_root: Annotated[
        Path | None,
        typer.Option(help="Certificate (PEM) of the authority that must have timestamped it; checked offline."),
    ] = None,
    again: Repeating,
    output_folder: Output = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Check that a run is unchanged since it was sealed and signed. Exit code 2 if not, with what has changed.

    [bold]Examples[/bold]

    harness verify 1a2b3c --public-key harness.pub

    harness verify 1a2b3c --rescore

    harness verify 1a2b3c --rerun 10

    harness verify proof.json --public-key harness.pub
    """
    from harness.signing import load_public_key, read_roots, verify_run

    if again.rerun or again.rescore:
        go_offline(again.offline, again.model, again.base)
    else:
        need_none("verify")
    key = load_public_key(public_key) if public_key else None
    if is_file(Path(run)):
        _verify_file(Path(run), key, again, as_json)
        return
    roots = read_roots(timestamp_root) if timestamp_root else []
    report = verify_run(find_folder(run, output_folder), key, roots)
    if again.rescore and again.rerun:
        raise InputError("can't be given together", place="--rescore and --rerun", fix="Give one after the other")
    if again.rescore and report.ok:
        _rescore(report, again, as_json)
    elif again.rerun and report.ok:
        _rerun(report, again.rerun, again, as_json)
    else:
        _finish(report, as_json)


def _verify_file(path: Path, key: "PublicKey | None", again: Repeating, as_json: bool) -> None:
    """Check a proof, or a file that was signed. Raises `InputError` where a run is needed."""
    from harness.signing import verify_file
    from harness.signing.proof import is_proof, verify_proof

    if again.rerun or again.rescore:
        raise InputError("is one file, and --rerun and --rescore need the whole run", place=path, fix="Give the run")
    if is_proof(path):
        _finish_proof(verify_proof(path, key), as_json)
    else:
        _finish(verify_file(path, key), as_json)


def _rerun(report: "Report", count: int, again: Repeating, as_json: bool) -> None:
    from harness.record import load_record
    from harness.run.rerun import rerun

    with progress_bar() as progress:
        found = rerun(
            load_record(report.place),
            count,
            again.nonce,
            progress,
            model=again.model,
            base=again.base,
            offline=again.offline,
            endpoint=EndpointOptions(api_key_env=again.api_key_env),
            trust_remote_code=again.trust_remote_code,
        )
    if as_json:
        _finish(report, as_json, {"ok": report.ok and found.ok, "rerun": asdict(found)})
    else:
        _print_report(report)
        for one in found.differences[:_SHOWN]:
            errors.print(Text(f"{one.sample}: {one.field} is {one.found} now, and {one.recorded} in the record"))
        for note in found.notes:
            output.print(Text(f"note: {note}", style="dim"))
        agreed = "the same answers" if found.ok else numbered(len(found.differences), "other answer")
        told = (
            f"run again: {numbered(len(found.samples), 'sample')}, {numbered(found.compared_count, 'answer')}: {agreed}"
        )
        output.print(Text(f"{told} (numbers within {found.tolerance:g}; nonce {found.nonce})"))
    if not found.ok:
        raise typer.Exit(_DIFFERS)


def _rescore(report: "Report", again: Repeating, as_json: bool) -> None:
    from harness.record import load_record
    from harness.run.rescore import rescore

    with progress_bar() as progress:
        found = rescore(
            load_record(report.place), again.suite, progress, allow_code_execution=again.allow_code_execution
        )
    if as_json:
        _finish(report, as_json, {"ok": report.ok and found.ok, "rescore": asdict(found)})
    else:
        _print_report(report)
        for difference in found.differences[:_SHOWN]:
            errors.print(Text(difference))
        for name, reason in found.left_out.items():
            errors.print(Text(f"not scored again: {name}: {reason}"))
        count = len(found.rescored) + len(found.left_out)
        agreed = "the record says what its answers give" if found.rescored else "what its answers give isn't known here"
        agreed = agreed if found.ok else numbered(len(found.differences), "contradiction")
        output.print(Text(f"scored again: {len(found.rescored)} of {numbered(count, 'task')}: {agreed}"))
    if not found.ok:
        errors.print(Text(f"harness: {report.place}: its scores don't follow from its answers. Do not rely on them"))
        raise typer.Exit(_DIFFERS)
    if found.left_out:
        raise typer.Exit(_PARTIAL)


def _finish(report: "Report", as_json: bool, more: dict[str, object] | None = None) -> None:
    if as_json:
        print_json({**_report_as_json(report), **(more or {})})
    else:
        _print_report(report)
    if not report.ok:
        raise typer.Exit(_DIFFERS)


def _finish_proof(report: "ProofReport", as_json: bool) -> None:
    if as_json:
        signature = _signature_as_json(report.signature)
        found = {"ok": report.ok, "sample": report.name, "run_id": report.run_id, "root": report.root}
        print_json({**found, "faults": list(report.faults), "signature": signature, "rows": report.sample})
    elif report.ok:
        output.print(Text(f"proved: {report.name} is a sample of the run {report.run_id} (root {report.root})"))
        output.print(Text(_signature_line(report.signature)))
        print_json(report.sample)
    for fault in report.faults:
        errors.print(Text(f"harness: {fault}"))
    if not report.ok:
        raise typer.Exit(_DIFFERS)


def _print_report(report: "Report") -> None:
    for one in report.changes:
        errors.print(Text(f"{one.file} {one.fault}", style="red"))
        for part in one.parts[:_SHOWN]:
            errors.print(Text(f"    {part}"))
        if len(one.parts) > _SHOWN:
            errors.print(Text(f"    and {len(one.parts) - _SHOWN} more: --json lists them"))
    for note in report.notes:
        output.print(Text(f"note: {note}", style="dim"))
    if not report.ok:
        errors.print(
            Text(f"harness: {report.place}: not as it was sealed, signed or stamped. Do not rely on its scores")
        )
        return
    samples = "" if report.sample_count is None else f", {numbered(report.sample_count, 'sample')}"
    output.print(Text(f"unchanged: {report.place} ({numbered(report.file_count, 'file')}{samples})"))
    output.print(Text(_signature_line(report.signature)))
    if report.timestamp is not None:
        by = (
            "the authority that you gave"
            if report.timestamp.trusted
            else "an authority that only --timestamp-root checks"
        )
        output.print(Text(f"stamped {report.timestamp.at} by {by}"))


def _signature_line(signature: "Signature | None") -> str:
    if signature is None:
        return "not signed: the digests fit each other, and nobody vouches for them (`harness seal` signs)"
    by = f"signed {signature.signed_at} with the key {signature.key_id}"
    if signature.trusted:
        return f"{by}, the one you gave"
    return f"{by}: whose it is, only --public-key with a key from its owner tells"


def _report_as_json(report: "Report") -> dict[str, object]:
    return {
        "ok": report.ok,
        "place": str(report.place),
        "changes": [{"file": one.file, "fault": one.fault, "parts": list(one.parts)} for one in report.changes],
        "notes": list(report.notes),
        "file_count": report.file_count,
        "sample_count": report.sample_count,
        "signature": _signature_as_json(report.signature),
        "timestamp": None if report.timestamp is None else asdict(report.timestamp),
    }


def _signature_as_json(signature: "Signature | None") -> dict[str, object] | None:
    if signature is None:
        return None
    return {"key_id": signature.key_id, "signed_at": signature.signed_at, "trusted": signature.trusted}
