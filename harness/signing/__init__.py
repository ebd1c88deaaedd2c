"""Who says so: signatures over sealed runs, proofs of single samples, and the check of both."""

from harness.signing.attestation import attest_file, attest_run
from harness.signing.keys import PublicKey, SigningKey, load_public_key, load_signing_key, new_keys
from harness.signing.proof import ProofReport, prove, verify_proof
from harness.signing.verification import Report, verify_file, verify_run

__all__ = [
    "ProofReport",
    "PublicKey",
    "Report",
    "SigningKey",
    "attest_file",
    "attest_run",
    "load_public_key",
    "load_signing_key",
    "new_keys",
    "prove",
    "verify_file",
    "verify_proof",
    "verify_run",
]
