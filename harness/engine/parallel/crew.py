"""The processes that torchrun started for one model: the first evaluates, the others compute with it what it says."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import torch
from torch import distributed

from harness.core.errors import InputError

__all__ = ["Crew", "crew", "present_crew"]

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_COMPUTING = timedelta(minutes=30)
"""How long a process waits for the others inside of a layer, or while they load."""
_WAITING = timedelta(days=7)
"""How long those that follow wait for the next thing to do: scoring takes its time."""

_present: list["Crew"] = []


@dataclass(frozen=True, slots=True)
class Crew:
    """This process among `size`, by its `rank`; `group` is for what they say to each other.

    What is said is pickled: the processes are of one user and trust each other, as torch's own do.
    """

    rank: int
    size: int
    group: Any

    @property
    def leads(self) -> bool:
        """Whether this process evaluates; the others follow."""
        return self.rank == 0

    def say(self, *said: object) -> None:
        """Have all others `hear` this; for the one that leads."""
        distributed.broadcast_object_list([said], src=0, group=self.group)

    def hear(self) -> Sequence[Any]:
        """What the one that leads says next."""
        said: list[Any] = [None]
        distributed.broadcast_object_list(said, src=0, group=self.group)
        heard: Sequence[Any] = said[0]
        return heard

    @classmethod
    def joined(cls, size: int) -> Self:
        """Meet the others. Raises `InputError` where torchrun didn't start so many, or they have no device each."""
        place, command = f"--tensor-parallel {size}", f"torchrun --nproc-per-node {size} -m harness eval ..."
        if missing := [name for name in VARIABLES if not os.environ.get(name)]:
            raise InputError(
                f"{', '.join(missing)} not set: torchrun sets them", place=place, fix=f"Start it as {command}"
            )
        rank, local, started = (int(os.environ[name]) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
        if started != size:
            raise InputError(f"torchrun started {started} processes", place=place, fix=f"Start it as {command}")
        backend = "gloo"
        if torch.cuda.is_available():
            if local >= (count := torch.cuda.device_count()):
                raise InputError(
                    f"there are {count} GPUs here, and each process needs one", place=place, fix=f"Use up to {count}"
                )
            torch.cuda.set_device(local)
            backend = "cpu:gloo,cuda:nccl"
        distributed.init_process_group(backend, rank=rank, world_size=size, timeout=_COMPUTING)
        return cls(rank, size, distributed.new_group(backend="gloo", timeout=_WAITING))


@contextmanager
def crew(size: int) -> Iterator[Crew]:
    """The crew of this process while the block runs; in the end, those that follow are let go.

    Raises what `Crew.joined` does.
    """
    mine = Crew.joined(size)
    _present.append(mine)
    try:
        yield mine
    finally:
        _present.remove(mine)
        if mine.leads:
            mine.say("end")
        distributed.destroy_process_group()


def present_crew(size: int) -> Crew:
    """The crew that this process is in. Raises `InputError` where it is in none of that size."""
    if not _present or _present[-1].size != size:
        raise InputError(
            "only `harness eval` computes one model in several processes",
            place=f"--tensor-parallel {size}",
            fix="Leave it out",
        )
    return _present[-1]
