"""How many copies of the model answer, and where."""

from dataclasses import dataclass

from harness.core.options import option

__all__ = ["ReplicaOptions"]

MOST_WORKERS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaOptions:
    """How a run is shared among processes; none of it is part of the run's identity.

    `workers` None is this process alone. `ray_address` is `auto`, `HOST:PORT` or `ray://HOST:PORT`; None starts a
    cluster of this machine alone, which ends with the run. `threads` is what each process that holds the model computes
    with; None is torch's own number, shared among the workers. Sums of another number of threads differ in their last
    bits, so that runs are the same byte for byte only with the same one.
    """

    workers: int | None = option(
        None, "Share the work among this many copies of the model, in Ray processes.", min=1, max=MOST_WORKERS
    )
    gpus_per_worker: float | None = option(
        None, "GPUs per worker; below 1, workers share one. [default: 1 where the device is a GPU]", min=0.0
    )
    ray_address: str | None = option(
        None,
        "Ray cluster to run on: auto (the one this machine belongs to), HOST:PORT or ray://HOST:PORT. "
        "[default: this machine alone]",
        metavar="ADDRESS",
    )
    threads: int | None = option(
        None,
        "Threads per process that computes with the model; scores are equal byte for byte only for equal numbers. "
        "[default: those of the machine, shared among the workers]",
        min=1,
        max=1024,
    )
