"""Cuts the work of many requests into batches under a token budget. Pure: no torch, no clock, no randomness.

A request needs one or more token sequences to be read (`rows`), and perhaps some tokens to be written after them.
Requests that read the same sequences are kept together, because one reading serves them all: the four letters
of one multiple-choice question cost as much as one. Batches hold rows of like length, the longest first, so that
little is wasted on padding and a budget too large for the memory shows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Job", "cut", "plan"]

_SHORTEST_SHARE = 0.7
_SHORTEST_GAP = 16
"""A row is batched with a longer one if it has this share of its length, or lacks at most so many tokens."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one request makes the model do: read each of `rows`, then write up to `new_tokens` after it.

    `key` identifies the request and orders jobs that read the same.
    """

    key: str
    rows: tuple[Tokens, ...]
    new_tokens: int = 0

    @property
    def width(self) -> int:
        """Length of the longest row with what is written after it."""
        return max(map(len, self.rows), default=0) + self.new_tokens


def plan(jobs: Sequence[Job], budget: int) -> list[list[str]]:
    """Batches of keys, each of at most `budget` padded tokens unless a single reading is larger than that.

    A function of the set of jobs and the budget alone: the order of `jobs` doesn't matter, and planning the jobs of
    one batch again gives that batch.
    """
    readings: dict[tuple[tuple[Tokens, ...], int], list[Job]] = {}
    for job in sorted(jobs, key=lambda job: (-job.width, job.rows, job.new_tokens, job.key)):
        readings.setdefault((job.rows, job.new_tokens), []).append(job)
    batches: list[list[str]] = []
    width = row_count = 0
    for sharing in readings.values():
        rows = len(sharing[0].rows)
        if batches and (row_count + rows) * width <= budget and _is_alike(sharing[0].width, width):
            row_count += rows
        else:
            batches.append([])
            width, row_count = sharing[0].width, rows
        batches[-1].extend(job.key for job in sharing)
    return batches


def cut(lengths: Sequence[int], budget: int) -> list[range]:
    """Consecutive ranges of rows of falling length, each of at most `budget` padded tokens, or a single row."""
    ranges: list[range] = []
    start = 0
    for index in range(len(lengths)):
        too_many = (index + 1 - start) * lengths[start] > budget
        if index > start and (too_many or not _is_alike(lengths[index], lengths[start])):
            ranges.append(range(start, index))
            start = index
    if start < len(lengths):
        ranges.append(range(start, len(lengths)))
    return ranges


def _is_alike(length: int, longest: int) -> bool:
    return length >= longest * _SHORTEST_SHARE or longest - length <= _SHORTEST_GAP
