"""Which sandbox this machine has, found by trying each with a program that reaches for what it must not."""

from collections.abc import Sequence
from functools import cache

from harness.core.errors import SandboxError
from harness.sandbox.enclosures import ENCLOSURES
from harness.sandbox.programs import Limits, Outcome, Program, run_enclosed

__all__ = ["SANDBOX_FIX", "find_sandbox", "require_sandbox", "run_program"]

SANDBOX_FIX = "On Linux, install bubblewrap or allow user namespaces"

_PROBE = Program(
    source="""
import os, socket

def reached():
    found = []
    for name, reach in (
        ("a socket", socket.socket),
        ("another process", os.fork),
        ("the machine's files", lambda: os.listdir("/etc/passwd/..")),
        ("other processes", lambda: os.listdir("/proc")),
        ("a file of its own at the root", lambda: open("/made", "w")),
    ):
        try:
            reach()
        except OSError:
            continue
        found.append(name)
    with open("scratch", "w") as file:
        file.write("here I may")
    return found if os.getuid() else [*found, "the rights of root"]
""",
    entry_point="reached",
    tests="found = reached()\nif found:\n    raise PermissionError('a program reaches ' + ', '.join(found))",
)


def run_program(program: Program, *, limits: Limits | None = None) -> Outcome:
    """Run a program and its tests, each in a sandboxed process of its own, which share two pipes of plain values.

    The program's process has neither the tests nor a way to the verdict: it can but answer calls, so that ending early,
    printing, or changing whatever is in its process is a failure, never a pass. Raises `SandboxError` where no sandbox
    can be set up, before anything of the program is run.
    """
    return run_enclosed(require_sandbox(), program, limits or Limits())


def require_sandbox() -> str:
    """The name of the enclosure that works on this machine. Raises `SandboxError` for none."""
    name, reasons = find_sandbox()
    if name is None:
        raise SandboxError(
            f"no sandbox can be set up for programs that a model writes, so none is run ({'; '.join(reasons)})",
            place="--allow-code-execution",
            fix=f"{SANDBOX_FIX}, or leave the option out",
        )
    return name


@cache
def find_sandbox() -> tuple[str | None, Sequence[str]]:
    """The enclosure that works here, or None with the reasons, one for each that was tried."""
    reasons = []
    for name in ENCLOSURES:
        try:
            outcome = run_enclosed(name, _PROBE, Limits())
        except SandboxError as error:
            reasons.append(str(error))
            continue
        if outcome.passed:
            return name, ()
        reasons.append(f"{name}: {outcome.detail}")
    return None, reasons
