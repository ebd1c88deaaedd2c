"""What a task's code draws from Python's and numpy's global generators, such as an order of choices."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

__all__ = ["begin_anew", "own_randomness"]


def begin_anew() -> None:
    """Seed them as lm-eval does for a run."""
    random.seed(0)
    np.random.seed(1234)  # the one that the code of a task may use


@contextmanager
def own_randomness() -> Iterator[None]:
    """Within the block they begin as in lm-eval, whatever ran before; behind it they go on as if nothing had."""
    before = random.getstate(), np.random.get_state()
    begin_anew()
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
