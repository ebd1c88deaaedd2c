"""Which tokens of packed rows see which: each sees itself, its ancestors, and the stem before the row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from harness.engine.kernels.masks import masks
from harness.engine.tree import Row

__all__ = ["Ancestors", "ancestors_of"]

_NAME = "harness_ancestors"


@dataclass(frozen=True, slots=True)
class Ancestors:
    """The ancestors of each token of rows behind a stem of `before` tokens.

    Rows are in the order of a depth-first walk, so a subtree is a stretch: token q is k or a descendant of it where
    k <= q < `ends`[k] (Tarjan, 1972). `ends` and `depths`, the number of tokens before each one, have the shape
    (rows, width). Padding sees itself, and no token sees it.
    """

    ends: Tensor
    depths: Tensor
    before: int
    deepest: int

    @classmethod
    def of(cls, rows: Sequence[Row], before: int, device: Any) -> Self:
        """Those of the rows, on the device."""
        width = max(len(row.tokens) for row in rows)
        ends = np.tile(np.arange(1, width + 1, dtype=np.int32), (len(rows), 1))
        depths = np.zeros((len(rows), width), dtype=np.int32)
        for index, row in enumerate(rows):
            depths[index, : len(row.tokens)], ends[index, : len(row.tokens)] = _walked(row)
        on_device = [torch.from_numpy(one).to(device) for one in (ends, depths)]
        return cls(on_device[0], on_device[1], before, int(depths.max()))

    @property
    def width(self) -> int:
        """Tokens of a row."""
        return int(self.ends.shape[1])

    def limits(self, window: int | None) -> bool:
        """Whether some token is too deep to see its first ancestor, where a token sees `window` tokens."""
        return window is not None and self.before + self.deepest >= window

    def arguments(self, model: Any) -> dict[str, Any]:
        """The mask and the position ids that the model's forward pass takes."""
        mask = masks(model, lambda window: self.mask(window, model.dtype))
        return {"attention_mask": mask, "position_ids": self.depths.long() + self.before}

    def mask(self, window: int | None, dtype: Any) -> Tensor:
        """What is added to attention scores, of shape (rows, 1, width, before + width): 0 where a token sees another.

        Layers in which a token sees `window` tokens, itself included, see so many of its ancestors; None for all.
        """
        places = torch.arange(self.width, dtype=torch.int32, device=self.ends.device)
        seen = (places[:, None] < self.ends[:, None, :]).logical_and_(places[:, None] >= places)
        mask = torch.zeros(
            (len(self.ends), 1, self.width, self.before + self.width), dtype=dtype, device=self.ends.device
        )
        unseen = torch.finfo(dtype).min
        if window is not None and self.limits(window):
            seen.logical_and_(self.depths[:, :, None] - self.depths[:, None, :] < window)
            stem = torch.arange(self.before, dtype=torch.int32, device=self.ends.device)
            too_far = self.before + self.depths[:, :, None] - stem >= window
            mask[:, 0, :, : self.before].masked_fill_(too_far, unseen)
        mask[:, 0, :, self.before :].masked_fill_(seen.logical_not_(), unseen)
        setattr(mask, _NAME, (self, window))
        return mask


def ancestors_of(mask: Tensor) -> tuple[Ancestors, int | None] | None:
    """What a mask was made of, and for which window; None for one that was made otherwise, or of a part of one."""
    found: tuple[Ancestors, int | None] | None = getattr(mask, _NAME, None)
    return found


def _walked(row: Row) -> tuple[list[int], list[int]]:
    """The depth of each token, and where its subtree ends."""
    count = len(row.tokens)
    depths, ends = list(range(row.trunk)), list(range(1, count + 1))
    for node in range(row.trunk, count):
        parent = row.parents[node]
        depths.append(depths[parent] + 1 if parent >= 0 else 0)
    for node in range(count - 1, row.trunk - 1, -1):
        parent = row.parents[node]
        if parent >= 0 and ends[parent] < ends[node]:
            ends[parent] = ends[node]
    ends[: row.trunk] = [count] * row.trunk
    return depths, ends
