"""One process a run."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from harness.core.errors import RecordLockedError
from harness.record.files import PRIVATE, writing

__all__ = ["RunLock"]


class RunLock:
    """Held by the process that writes a run; the operating system lets it go when that process dies.

    Raises `RecordLockedError` with the holder's process id.
    """

    def __init__(self, folder: Path) -> None:
        self._holder = folder / "holder.pid"
        self._lock = FileLock(folder / "run.lock", mode=PRIVATE, blocking=False)
        with writing(folder):
            try:
                self._lock.acquire()
            except Timeout as error:
                pid = self._holder.read_text().strip() if self._holder.exists() else "unknown"
                raise RecordLockedError(
                    f"another process (pid {pid}) is writing this run",
                    place=folder,
                    fix="Wait for it to end, or stop it; the same command then goes on where it stopped",
                ) from error
            self._holder.touch(mode=PRIVATE)
            self._holder.write_text(f"{os.getpid()}\n")

    def release(self) -> None:
        """Let the run go."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()
