"""A script that runs a command in namespaces of its own, as nobody: for machines without bubblewrap.

It is started as a fresh process, needs the standard library alone, and is Linux's. What it does needs the rights of
root, or user namespaces, which the system may not give: then it says so in one line and exits with 1.
"""

import ctypes
import json
import os
import signal
import sys
from typing import Any, NoReturn

NOBODY = 65534

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_APART = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
_DETACH = 2
_RDONLY, _NOSUID, _NODEV = 1, 2, 4
_RECURSIVE, _AT_FDCWD = 0x8000, -100
_PIVOT_ROOT, _MOUNT_SETATTR = {"x86_64": 155, "aarch64": 41}, 442
_PDEATHSIG, _NO_NEW_PRIVS = 1, 38
_OLD = "/.outside"

_library = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Run the command that the arguments hold after one of JSON: what is to be there, and where."""
    view, command = json.loads(sys.argv[1]), sys.argv[2:]
    parent = view["parent"]
    _end_with(parent)
    _unshare()
    _new_root(view)
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    _call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    # It is the first of its namespace, so that whatever it leaves behind ends with it; asked for last, since a change
    # of user takes it back.
    _call("prctl", _PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.chdir("/tmp")
    os.execve(command[0], command, view["environment"])


def _end_with(parent: int) -> None:
    _call("prctl", _PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _unshare() -> None:
    """Namespaces of one's own: root's right, or anybody's who may have a namespace of users."""
    if os.geteuid() == 0 and _has_nobody() and _library.unshare(_APART) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _APART | _NEWUSER)
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - one import fewer at each start
            file.write(line)


def _has_nobody() -> bool:
    """Whether root can become nobody: where it is root of a namespace, there may be no other user."""
    with open("/proc/self/uid_map", encoding="ascii") as file:  # noqa: PTH123
        spans = [tuple(map(int, line.split())) for line in file]
    return any(first <= NOBODY < first + count for first, _, count in spans)


def _new_root(view: dict[str, Any]) -> None:
    """An empty root that shows some folders of the old one for reading, and a scratch folder in memory."""
    folder = str(view["mount_point"])
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    _mount("tmpfs", folder, "tmpfs", _MS_NOSUID | _MS_NODEV, "size=1m,mode=755")
    os.mkdir(folder + _OLD)  # noqa: PTH102
    _check(_library.syscall(_PIVOT_ROOT[os.uname().machine], folder.encode(), (folder + _OLD).encode()), "pivot_root")
    os.chdir("/")
    for outside, inside in view["shown"].items():
        if os.path.isdir(_OLD + outside):  # noqa: PTH112
            os.makedirs(inside, exist_ok=True)  # noqa: PTH103
        else:
            os.makedirs(os.path.dirname(inside), exist_ok=True)  # noqa: PTH103, PTH120
            os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(_OLD + outside, inside, None, _MS_BIND | _MS_REC)
        _read_only(inside, _RECURSIVE)
    for link, target in view["links"].items():
        os.symlink(target, link)  # noqa: PTH211
    os.mkdir("/tmp")  # noqa: PTH102
    scratch = f"size={view['scratch_bytes']},nr_inodes=1000,mode=1777"
    _mount("tmpfs", "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, scratch)
    _check(_library.umount2(_OLD.encode(), _DETACH), "umount")
    os.rmdir(_OLD)  # noqa: PTH106
    _read_only("/", 0)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    arguments = source.encode(), target.encode(), kind and kind.encode()
    _check(_library.mount(*arguments, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def _read_only(target: str, recursive: int) -> None:
    """Make it so with all that is mounted below: a call of Linux 5.12, which older ones don't have."""
    attributes = (ctypes.c_uint64 * 4)(_RDONLY | _NOSUID | _NODEV, 0, 0, 0)
    arguments = _AT_FDCWD, target.encode(), recursive, ctypes.byref(attributes), ctypes.c_size_t(32)
    _check(_library.syscall(_MOUNT_SETATTR, *arguments), f"mount_setattr {target}")


def _call(name: str, *arguments: int) -> None:
    _check(getattr(_library, name)(*map(ctypes.c_ulong, arguments)), name)


def _check(result: int, name: str) -> None:
    if result:
        _fail(f"{name}: {os.strerror(ctypes.get_errno())}")


def _fail(why: str) -> NoReturn:
    os.write(2, f"{why}\n".encode())
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        _fail(str(error))
