"""What an extreme is held against: the same, where nothing but chance differs."""

import numpy as np
from numpy.typing import NDArray

from harness.core.text.display import number
from harness.core.text.reasons import Reason, told_together

__all__ = ["beside_chance"]

_RARELY = 0.05


def beside_chance(draws: NDArray[np.float64], seen: float, *, largest: bool = True) -> tuple[str, float]:
    """What chance alone gives on average and in 1 case of 20, in words, and the p value of what was `seen`.

    `draws` are the extreme on samples where nothing differs; `largest` says whether a larger one is the more extreme.
    """
    slack = 1e-9
    as_extreme = draws >= seen - slack if largest else draws <= seen + slack
    p_value = (int(as_extreme.sum()) + 1) / (len(draws) + 1)
    rare = float(np.quantile(draws, 1 - _RARELY if largest else _RARELY))
    template = (
        "chance alone gives {mean}, above {rare} in 1 of 20"
        if largest
        else "chance alone gives {mean}, below {rare} in 1 of 20"
    )
    said = Reason(template, mean=number(float(draws.mean())), rare=number(rare))
    return told_together([said, f"p = {p_value:.3g}"]), p_value
