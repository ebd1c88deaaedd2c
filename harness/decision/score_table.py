"""The scores of a run by what they are of, made when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

import pandas as pd
from typing_extensions import override

from harness.core.scores import Score
from harness.decision.keys import Key

__all__ = ["ScoreTable"]

_OF = ["suite", "task", "metric"]


class ScoreTable(Mapping[Key, Sequence[Score]]):
    """The scores of each metric of each task, in the order of the samples; keys in that of their first score.

    A whole run has tens of thousands of scores, of which an index needs those of a few metrics.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        plain = table.astype(object).where(table.notna(), None)
        self._columns = {one.name: plain[one.name].to_numpy() for one in fields(Score) if one.name in plain}
        self._places: dict[Key, list[int]] = {}
        for place, of in enumerate(zip(*(plain[name] for name in _OF), strict=True)):
            self._places.setdefault(Key(*of), []).append(place)
        self._made: dict[Key, Sequence[Score]] = {}

    @override
    def __getitem__(self, key: Key) -> Sequence[Score]:
        if key not in self._made:
            places = self._places[key]
            rows = zip(*(column[places] for column in self._columns.values()), strict=True)
            found = (dict(zip(self._columns, row, strict=True)) for row in rows)
            self._made[key] = [Score(**{**row, "groups": dict(row["groups"] or ())}) for row in found]
        return self._made[key]

    @override
    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    @override
    def __len__(self) -> int:
        return len(self._places)
