"""What a process in a sandbox may take, set by itself before it reads a line of a stranger's program."""

import resource

from harness.sandbox.inside.syscalls import restrict

__all__ = ["confine"]


def confine(*, cpu_s: int, memory_bytes: int, file_bytes: int, open_files: int) -> None:
    """Bound this process for good: no new processes or threads, no network, and so much of everything else.

    Raises `FilterError` where the system calls can't be restricted, `ValueError` or `OSError` where the rest can't.
    """
    bounds = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_NOFILE: open_files,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for kind, most in bounds.items():
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
    restrict()
