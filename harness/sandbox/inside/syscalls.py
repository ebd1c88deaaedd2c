"""The system calls that a program in a sandbox may make; every other one is answered with EPERM."""

import ctypes
import errno
import os
import struct

__all__ = ["NUMBERS", "FilterError", "restrict"]

_CALLS: dict[str, tuple[int | None, int | None]] = {
    # what it has: its memory, its files, its signals to itself
    "read": (0, 63), "write": (1, 64), "open": (2, None), "close": (3, 57), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68), "readv": (19, 65), "writev": (20, 66),
    "access": (21, None), "select": (23, None), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "fcntl": (72, 25), "fsync": (74, 82),
    "ftruncate": (77, 46), "getcwd": (79, 17), "chdir": (80, 49), "rename": (82, None), "mkdir": (83, None),
    "rmdir": (84, None), "unlink": (87, None), "readlink": (89, None), "sigaltstack": (131, 132),
    "getdents64": (217, 61), "openat": (257, 56), "mkdirat": (258, 34), "newfstatat": (262, 79), "unlinkat": (263, 35),
    "renameat": (264, 38), "readlinkat": (267, 78), "faccessat": (269, 48), "pselect6": (270, 72), "ppoll": (271, 73),
    "renameat2": (316, 276), "statx": (332, 291), "faccessat2": (439, 439),
    # what it may know: itself, the time, chance
    "getpid": (39, 172), "uname": (63, 160), "gettimeofday": (96, 169), "getrusage": (98, 165), "times": (100, 153),
    "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177), "getppid": (110, 173),
    "gettid": (186, 178), "time": (201, None), "sched_getaffinity": (204, 123), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "getrandom": (318, 278),
    # how it waits and ends
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "futex": (202, 98), "exit": (60, 93),
    "exit_group": (231, 94),
}  # fmt: skip

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""By what the kernel calls it: the number that it gives a system call's architecture (`AUDIT_ARCH`)."""

NUMBERS = {
    machine: {name: numbers[place] for name, numbers in _CALLS.items() if numbers[place] is not None}
    for place, machine in enumerate(_MACHINES)
}
"""Numbers of the calls that are allowed, by machine."""

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_AT_NUMBER, _AT_ARCHITECTURE = 0, 4


class FilterError(Exception):
    """The kernel, or the machine, has no such filter."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def restrict() -> None:
    """From here on, allow this process the calls of `NUMBERS` alone. Raises `FilterError`.

    A call by another architecture's door, such as that of 32-bit programs, ends the process.
    """
    machine = os.uname().machine
    if machine not in NUMBERS or struct.calcsize("P") != 8:
        raise FilterError(f"there is no filter of system calls for {machine}")
    code = _compiled(_MACHINES[machine], [number for number in NUMBERS[machine].values() if number is not None])
    library = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    # Variadic: what isn't given its width may come with rubbish in the upper half.
    none = ctypes.c_ulong(0)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), none, none, none) or library.prctl(
        _PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program), none, none
    ):
        raise FilterError(f"the kernel takes no filter of system calls ({os.strerror(ctypes.get_errno())})")


def _compiled(architecture: int, numbers: list[int]) -> bytes:
    """The filter as the kernel's classic BPF: a list of numbers that lead to yes, and no for all else."""
    steps = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for number in numbers:
        steps += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ERRNO | errno.EPERM))
    return b"".join(struct.pack("HBBI", *step) for step in steps)
