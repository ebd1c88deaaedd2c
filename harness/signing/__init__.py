"""Who says so: signatures over sealed runs, proofs of single samples, and the check of both."""

from harness.signing.attestation import attest_file, attest_run
from harness.signing.keys import PublicKey, SigningKey, load_public_key, load_signing_key, new_keys
from harness.signing.proof import ProofReport, prove, verify_proof
from harness.signing.timestamps import add_timestamp, read_roots
from harness.signing.verification import Report, verify_file, verify_run

__all__ = [
    "ProofReport",
    "PublicKey",
    "Report",
    "SigningKey",
    "add_timestamp",
    "attest_file",
    "attest_run",
    "load_public_key",
    "load_signing_key",
    "new_keys",
    "prove",
    "read_roots",
    "verify_file",
    "verify_proof",
    "verify_run",
]
