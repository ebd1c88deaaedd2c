"""Couplets: their data, the task that asks them, and its metric."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from harness.core.datasets import DataSet, Row
from harness.core.metrics import Metric
from harness.data.sources import FileSource
from harness.metrics.standard import ACC
from harness.tasks.choices import MultipleChoice

COUPLETS = DataSet(
    name="couplets",
    title="Couplets",
    source=FileSource(Path(__file__).with_name("couplets.jsonl")),
    licence="Apache-2.0",
    citation="The harness authors (2026)",
    homepage="https://example.org/couplets",
    languages=("en",),
    columns=("line", "options", "gold"),
)

RHYME_RATE: Metric = replace(
    ACC,
    name="rhyme_rate",
    source="this package",
    meaning="The share of couplets in which the model prefers the word that rhymes.",
)


class Couplets(MultipleChoice):
    """Which word rhymes with the line before?

    The model reads a couplet up to its last word, and the likelier of two words is its answer. The words fit equally
    well but for the rhyme. A dozen couplets show large differences only.
    """

    name = "couplets"
    data = "couplets"
    metrics = (RHYME_RATE,)

    @override
    def question(self, row: Row) -> str:
        return str(row["line"])

    @override
    def choices(self, row: Row) -> Sequence[str]:
        return list(row["options"])

    @override
    def gold(self, row: Row) -> int:
        return int(row["gold"])
