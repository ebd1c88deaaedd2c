"""Ways to run a command where it sees no network, no other process, and no file of the machine's but Python's own."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

__all__ = ["ENCLOSURES", "Enclosure"]

Enclosure = Callable[[Sequence[str], int], list[str] | None]
"""From a command, and the bytes of its scratch folder, to the command that runs it enclosed; None where it can't."""

_INSIDE = Path(__file__).parent / "inside"
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store", "/etc/ld.so.cache")
"""Where libraries of the C world lie, of those that are there."""
_UID = "65534"
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
"""All that a program finds there: sets come in one order, so that a program is right each time or never."""


def _bubblewrap(command: Sequence[str], scratch_bytes: int) -> list[str] | None:
    program = shutil.which("bwrap")
    if program is None:
        return None
    shown, links = _view()
    return [
        *(program, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--clearenv"),
        *(part for name, value in _ENVIRONMENT.items() for part in ("--setenv", name, value)),
        *("--cap-drop", "ALL", "--uid", _UID, "--gid", _UID),
        *(part for outside, inside in shown.items() for part in ("--ro-bind", outside, inside)),
        *(part for link, target in links.items() for part in ("--symlink", target, link)),
        *("--size", str(scratch_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp", "--remount-ro", "/", "--"),
        *command,
    ]


def _namespaces(command: Sequence[str], scratch_bytes: int) -> list[str] | None:
    if sys.platform != "linux":
        return None
    shown, links = _view()
    view = {
        "parent": os.getpid(),
        "mount_point": tempfile.gettempdir(),
        "shown": shown,
        "links": links,
        "scratch_bytes": scratch_bytes,
        "environment": _ENVIRONMENT,
    }
    script = Path(__file__).with_name("namespaces.py")
    return [_python(), "-I", "-S", "-B", str(script), json.dumps(view), *command]


ENCLOSURES: Mapping[str, Enclosure] = MappingProxyType({"bubblewrap": _bubblewrap, "namespaces": _namespaces})
"""By name, the better one first."""


def python_inside(*arguments: str) -> list[str]:
    """The command that starts Python inside, without anything of the user's: no site, no environment, no home."""
    start = "import sys; sys.path.insert(0, '/'); from harness.sandbox.inside.start import start; start()"
    return [_python(), "-s", "-P", "-S", "-B", "-c", start, *arguments]


def _python() -> str:
    """The interpreter itself, and not the link to it in a virtual environment."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def _view() -> tuple[dict[str, str], dict[str, str]]:
    """What of the machine is seen inside, by where it lies outside; and links, by their own path."""
    library = Path(os.__file__).resolve().parent.parent
    shown = {str(_INSIDE): "/harness/sandbox/inside", _python(): _python()}
    links = {}
    for path in (*map(Path, _SYSTEM), library):
        if path.is_symlink():
            links[str(path)] = str(path.readlink())
        elif path.exists() and not any(path.is_relative_to(one) for one in shown):
            shown[str(path)] = str(path)
    return shown, links
