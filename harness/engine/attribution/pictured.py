"""A decision about a picture as a function of the picture's pixels, so that gradients can be followed into them."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from harness.core.requests import AttributePicture
from harness.engine.attribution.ablations import Unusable
from harness.engine.attribution.whitebox import EmbeddedDecision, Passage, WhiteBox
from harness.engine.senses.percepts import Percepts
from harness.media.pictures import of_cells, picture_of_pixels, pixels_of, without_cells

__all__ = ["PicturedDecision"]

_PIXELS = "pixel_values"


class PicturedDecision(EmbeddedDecision):
    """One decision about a picture, by what its processor makes of its pixels.

    What is called embeddings elsewhere is here how far those numbers lie from those of the baseline, the picture filled
    with its mean colour: of shape (rows, numbers, 1). So zeros stand for the picture without any of its cells, which is
    what methods that take cells out start from, too. A number that was made of several cells belongs to each in part.
    """

    def __init__(
        self, box: WhiteBox, pictures: Percepts, passage: Passage, request: AttributePicture, decision: int
    ) -> None:
        name, grid = request.media[0], request.grid
        ids = pictures.ids(name)
        tokens = passage.beginnings[0]
        columns = [column for column, token in enumerate(tokens) if token in set(ids)]
        if tuple(tokens[column] for column in columns) != ids:
            raise Unusable("a part of the picture didn't fit the model's window")
        super().__init__(box, passage, columns, [0] * len(columns), 1, decision)
        self._pictures, self._token_count = pictures, len(ids)
        self._inputs = pictures.read(name)
        empty = pictures.read(without_cells(name, grid, [False] * (grid[0] * grid[1])))
        if _PIXELS not in self._inputs or self._inputs[_PIXELS].shape != empty[_PIXELS].shape:
            raise Unusable("its processor doesn't make pixels alone of a picture, so no gradient leads to them")
        self._baseline = empty[_PIXELS]
        self._shares = _shares(pictures, name, grid).to(self._baseline.device)

    @property
    @override
    def rows_at_once(self) -> int:
        return max(self._box.batch_tokens // (self._passage.row_tokens + self._token_count), 1)

    @property
    @override
    def embeddings(self) -> Tensor:
        return (self._inputs[_PIXELS] - self._baseline).reshape(1, -1, 1)

    @override
    def __call__(self, embeddings: Tensor) -> Tensor:
        vectors = [
            self._pictures.vectors_of({**self._inputs, _PIXELS: self._baseline + one.reshape(self._baseline.shape)})
            for one in embeddings
        ]
        return super().__call__(torch.stack(vectors))

    @override
    def by_unit(self, values: Tensor) -> Tensor:
        return values.sum(dim=-1).float() @ self._shares


def _shares(pictures: Percepts, name: str, grid: tuple[int, int]) -> Tensor:
    """How much of each number that is made of a picture comes from each cell, of shape (numbers, cells).

    Learnt from pictures of that size in which one cell is white and all else black, whatever the processor resizes,
    cuts off or cuts into pieces: a number is a weighted mean of pixels. One that comes from no cell, such as of a
    border, counts to all alike; it is the same in every picture.
    """
    height, width, _ = pixels_of(name).shape
    cells = grid[0] * grid[1]
    black = _read(pictures, np.zeros((height, width)))
    lit = [
        (_read(pictures, of_cells((np.arange(cells) == cell).reshape(grid), height, width)) - black).abs()
        for cell in range(cells)
    ]
    parts = torch.stack(lit, dim=1)
    whole = parts.sum(dim=1, keepdim=True)
    return torch.where(whole > 0, parts / whole.clamp(min=torch.finfo(parts.dtype).tiny), 1 / cells)


def _read(pictures: Percepts, light: Any) -> Tensor:
    """The numbers that are made of a picture of that light, from 0 to 1, of shape (height, width)."""
    medium = picture_of_pixels(np.repeat(np.asarray(light, dtype=float)[:, :, None], 3, axis=2))
    return pictures.read(medium)[_PIXELS].float().flatten()
