"""Where programs run that a model wrote: without network, files, other processes, or a word in their own verdict."""

from harness.sandbox.detection import SANDBOX_FIX, find_sandbox, require_sandbox, run_program
from harness.sandbox.programs import Ending, Limits, Outcome, Program

__all__ = [
    "SANDBOX_FIX",
    "Ending",
    "Limits",
    "Outcome",
    "Program",
    "find_sandbox",
    "require_sandbox",
    "run_program",
]
