"""What a writer of its own process does; apart from the tests, so that it imports little."""

from pathlib import Path

from harness.store import Store, add_run, locate

__all__ = ["write_runs"]


def write_runs(named: str, folders: list[str], repeats: int) -> None:
    """Add all these runs to the store, again and again, opening it anew each time."""
    for _ in range(repeats):
        with Store(locate(named, Path(folders[0]).parent)) as store:
            for folder in folders:
                add_run(store, Path(folder))
