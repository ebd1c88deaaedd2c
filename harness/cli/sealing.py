"""`harness keys`, `harness seal`, `harness verify` and `harness prove`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from harness.cli.console import errors, output, print_json, progress_bar
from harness.cli.process.off_network import go_offline, need_none
from harness.cli.runs import Output, Run, find_folder, find_run
from harness.core.checkpoints import EndpointOptions
from harness.core.errors import InputError
from harness.core.process.paths import is_file

if TYPE_CHECKING:
    from harness.signing import ProofReport, Report
    from harness.signing.verification import Signature

__all__ = ["keys", "prove_command", "seal", "verify_command"]

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
_SHOWN = 5
_DIFFERS = 2
_PARTIAL = 3

keys = typer.Typer(help="Keys that sign runs.", no_args_is_help=True)


@keys.command("new")
def new(
    out: Annotated[Path, typer.Option(help="The folder that the keys are written into.")] = Path("keys"),
) -> None:
    """Make an Ed25519 key pair: harness.key signs and stays with you, harness.pub checks and is given away.

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
        typer.Option(help="An authority's answer about the run's seal.json (RFC 3161, .tsr), kept beside it."),
    ] = None,
    output_folder: Output = Path("runs"),
) -> None:
    """Sign a finished run, with the gates' verdicts on it: every file, the checkpoint's files, the data, the results.

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
    """Prove one sample of a run without showing the others; `harness verify PROOF.json` checks it.

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


def verify_command(
    run: Annotated[str, typer.Argument(help="A run's folder or the beginning of its id; a proof; a signed file.")],
    public_key: Annotated[
        Path | None,
        typer.Option(help="The public key that it has to be signed with, which you got from somebody you trust."),
    ] = None,
    timestamp_root: Annotated[
        Path | None,
        typer.Option(help="Certificate (PEM) of the authority that has to have stamped it; checked offline."),
    ] = None,
    rerun: Annotated[
        int | None, typer.Option(min=1, help="Ask the checkpoint about so many random samples again.")
    ] = None,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Make scores of the recorded answers again, and estimates of the scores.")
    ] = False,
    suite: Annotated[
        list[str] | None, typer.Option("--suite", help="With --rescore: the suite file that the run was made with.")
    ] = None,
    allow_code_execution: Annotated[
        bool,
        typer.Option(
            "--allow-code-execution", help="With --rescore: run the programs that the model wrote, in a sandbox."
        ),
    ] = False,
    nonce: Annotated[
        str | None,
        typer.Option(help="With --rerun: a word of your own, so that nobody can predict which samples are drawn."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="With --rerun: the checkpoint. By default what the record calls it, if that lies below this folder."
        ),
    ] = None,
    base: Annotated[str | None, typer.Option(help="With --rerun: the model that an adapter is put over.")] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="With --rerun: run the checkpoint's own Python.")
    ] = False,
    api_key_env: Annotated[
        str, typer.Option(help="With --rerun: environment variable that holds the key of the served --model.")
    ] = "OPENAI_API_KEY",
    offline: Annotated[bool, typer.Option("--offline", help="With --rerun: use the cache alone.")] = False,
    output_folder: Output = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Check that a run is as it was sealed and signed, and name what is not; exit code 2 if anything is not.

    [bold]Examples[/bold]

    harness verify 1a2b3c --public-key harness.pub

    harness verify 1a2b3c --rescore

    harness verify 1a2b3c --rerun 10

    harness verify proof.json --public-key harness.pub
    """
    from harness.signing import load_public_key, read_roots, verify_file, verify_run
    from harness.signing.proof import is_proof, verify_proof

    if rerun or rescore:
        go_offline(offline, model, base)
    else:
        need_none("verify")
    key = load_public_key(public_key) if public_key else None
    path = Path(run)
    if is_file(path):
        if rerun or rescore:
            raise InputError("samples are run and scored again on a whole run's record", place=run, fix="Give the run")
        if is_proof(path):
            _finish_proof(verify_proof(path, key), as_json)
            return
        _finish(verify_file(path, key), as_json)
        return
    roots = read_roots(timestamp_root) if timestamp_root else []
    report = verify_run(find_folder(run, output_folder), key, roots)
    if rescore and rerun:
        raise InputError("are two questions", place="--rescore and --rerun", fix="Ask one after the other")
    if rescore and report.ok:
        _rescore(report, suite or [], as_json, allow_code_execution=allow_code_execution)
        return
    if rerun is None or not report.ok:
        _finish(report, as_json)
        return
    where = {"model": model, "base": base, "offline": offline, "endpoint": EndpointOptions(api_key_env=api_key_env)}
    _rerun(report, rerun, nonce, as_json, trusted=trust_remote_code, **where)


def _rerun(report: "Report", count: int, nonce: str | None, as_json: bool, *, trusted: bool, **where: Any) -> None:
    from harness.record import load_record
    from harness.run.rerun import rerun

    with progress_bar() as progress:
        found = rerun(load_record(report.place), count, nonce, progress, trust_remote_code=trusted, **where)
    if as_json:
        _finish(report, as_json, {"ok": report.ok and found.ok, "rerun": asdict(found)})
    else:
        _print_report(report)
        for one in found.differences[:_SHOWN]:
            errors.print(Text(f"{one.sample}: {one.field} is {one.found} now, and {one.recorded} in the record"))
        for note in found.notes:
            output.print(Text(f"note: {note}", style="dim"))
        agreed = "the same answers" if found.ok else f"{len(found.differences)} other answers"
        told = f"run again: {len(found.samples)} samples, {found.compared_count} answers: {agreed}"
        output.print(Text(f"{told} (numbers within {found.tolerance:g}; nonce {found.nonce})"))
    if not found.ok:
        raise typer.Exit(_DIFFERS)


def _rescore(report: "Report", suites: list[str], as_json: bool, *, allow_code_execution: bool) -> None:
    from harness.record import load_record
    from harness.run.rescore import rescore

    with progress_bar() as progress:
        found = rescore(load_record(report.place), suites, progress, allow_code_execution=allow_code_execution)
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
        agreed = agreed if found.ok else f"{len(found.differences)} contradictions"
        output.print(Text(f"scored again: {len(found.rescored)} of {count} tasks: {agreed}"))
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
        errors.print(Text(f"harness: {report.place}: not as it was sealed or signed. Do not rely on its scores"))
        return
    samples = "" if report.sample_count is None else f", {report.sample_count} samples"
    output.print(Text(f"unchanged: {report.place} ({report.file_count} files{samples})"))
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
