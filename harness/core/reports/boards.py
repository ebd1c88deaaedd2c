"""What writes the leaderboard as files."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from harness.core.process.progress import Progress

__all__ = ["BoardSize", "BoardWriter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSize:
    """How many runs and files, and how many bytes, a board has."""

    run_count: int
    file_count: int
    size_bytes: int


class BoardWriter(ABC):
    """Writes the leaderboard into a folder, to be read there without a server; see the group `harness.boards`."""

    @abstractmethod
    def write(self, store: str | None, records: Path, folder: Path, *, samples: bool, progress: Progress) -> BoardSize:
        """Write the runs of a store, whose records are in `records` or where they were indexed, into `folder`.

        `store` is as `--store` names it. An earlier board in the folder is replaced. Without `samples`, no prompt and
        no answer is in it. Raises `HarnessError` where the store or a record can't be read, and where the folder holds
        what no board wrote; the folder is untouched then.
        """
