"""Where programs run that a model wrote: without network, files, other processes, or a word in their own verdict."""

from harness.sandbox.detection import SANDBOX_FIX, find_sandbox, require_sandbox, run_program
from harness.sandbox.programs import Limits, Outcome, Program, Verdict

__all__ = [
    "SANDBOX_FIX",
    "Limits",
    "Outcome",
    "Program",
    "Verdict",
    "find_sandbox",
    "require_sandbox",
    "run_program",
]
