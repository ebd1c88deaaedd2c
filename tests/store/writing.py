"""What a writer of its own process does; apart from the tests, so that it imports little."""

from pathlib import Path

from harness.store import Store, add_run, locate

__all__ = ["write_runs"]


def write_runs(names: list[str], folders: list[str]) -> None:
    """Add all these runs to each of these stores, twice, opening it anew each time."""
    for named in [*names, *names]:
        with Store(locate(named, Path(folders[0]).parent)) as store:
            for folder in folders:
                add_run(store, Path(folder))
