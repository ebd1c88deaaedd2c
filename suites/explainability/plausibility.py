"""Whether an explanation names what people name: attributions beside the parts of a text that people have marked."""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from harness.core.attributions import RANDOM, Attribution
from harness.core.metrics import Mean, Metric, Proportion
from suites.explainability.metrics import DEFAULT_METHOD

__all__ = [
    "DECISION_IS_GOLD",
    "PLAUSIBILITY_METRICS",
    "RATIONALE_AUPRC",
    "RATIONALE_AUPRC_LIFT",
    "RATIONALE_F1",
    "RATIONALE_IOU_F1",
    "Span",
    "marked_units",
    "plausibility",
]

Span = tuple[int, int]
"""Where a marked part begins and ends, in characters from 0; the end is not in it."""

_ERASER = "DeYoung et al. (2020), ERASER: A Benchmark to Evaluate Rationalized NLP Models, ACL"
_OVERLAP = 0.5
_ORDERS = 20

_by_method = partial(Mean, by=("method",), main_group={"method": DEFAULT_METHOD}, smallest_group=2)

RATIONALE_AUPRC = _by_method(
    name="rationale_auprc",
    unit="area",
    direction="higher",
    source=f"{_ERASER}: area under the precision-recall curve, by the trapezoidal rule",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: how well the values of an explanation rank the words that people marked before the others; higher is
    better.

    The area under the precision-recall curve of each text, and their mean. By chance it is about the share of words
    that are marked: read the lift.
    """,
)

RATIONALE_AUPRC_LIFT = _by_method(
    name="rationale_auprc_lift",
    unit="area",
    direction="higher",
    source=f"{_ERASER}, less that of {_ORDERS} random orders of the same words",
    lowest=-1.0,
    highest=1.0,
    meaning="""
    -1 to 1: `rationale_auprc` less that of chance on the same text; 0 says that the explanation finds what people
    marked no better than a random order.
    """,
)

RATIONALE_F1 = _by_method(
    name="rationale_f1",
    unit="F1",
    direction="higher",
    source=f"{_ERASER}: token-level F1, macro-averaged",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: F1 of the words that an explanation picks against those that people marked; higher is better.

    Picked are as many of the most important words as the share of the text that people mark, on average over all the
    data.
    """,
)

RATIONALE_IOU_F1 = _by_method(
    name="rationale_iou_f1",
    unit="F1",
    direction="higher",
    source=f"{_ERASER}: IOU F1 at a threshold of {_OVERLAP}, here averaged over texts",
    lowest=0.0,
    highest=1.0,
    meaning="""
    0 to 1: F1 of picked passages against marked ones; higher is better.

    A passage is a run of words that are all picked, or all marked. A picked one counts as found where what it shares
    with a marked one is at least half of what the two cover together.
    """,
)

DECISION_IS_GOLD = Proportion(
    name="acc",
    unit="share",
    direction="higher",
    source="share of samples whose decision, which is what is explained, is the one that people gave reasons for",
    meaning="""
    Share of samples, in [0, 1], that the model decides as people did: explanations of other decisions have no reason
    to name what people marked.
    """,
)

PLAUSIBILITY_METRICS: tuple[Metric, ...] = (
    RATIONALE_AUPRC_LIFT,
    RATIONALE_AUPRC,
    RATIONALE_F1,
    RATIONALE_IOU_F1,
    DECISION_IS_GOLD,
)
"""Every metric of this file, in the order in which they are shown."""


def marked_units(units: Sequence[str], marked: Sequence[Span]) -> NDArray[np.bool_]:
    """Which units, joined from the text's beginning, have a character other than white space in a marked span."""
    found, start = [], 0
    for unit in units:
        inside = (
            any(first <= start + at < last for first, last in marked) for at, sign in enumerate(unit) if sign.strip()
        )
        found.append(any(inside))
        start += len(unit)
    return np.array(found, dtype=bool)


def plausibility(
    found: Attribution, marked: NDArray[np.bool_], share: float, seed: int
) -> Iterator[tuple[Metric, str, float]]:
    """Metric, method and value, for each method, of one explanation; `share` of the units is picked, one at the least.

    At least one unit is marked.
    """
    from sklearn.metrics import f1_score  # two seconds, which only this should cost

    count = min(len(marked), max(1, round(share * len(marked))))
    orders = np.random.default_rng([seed, 3]).random((_ORDERS, len(marked)))
    chance = fmean(_auprc(marked, order) for order in orders)
    for method in found.methods:
        values = np.asarray(method.values)
        picked = np.zeros(len(marked), dtype=bool)
        picked[np.argsort(-values, kind="stable")[:count]] = True
        area = _auprc(marked, values)
        yield RATIONALE_AUPRC, method.name, area
        yield RATIONALE_F1, method.name, float(f1_score(marked, picked))
        yield RATIONALE_IOU_F1, method.name, _passage_f1(marked, picked)
        if method.name != RANDOM:
            yield RATIONALE_AUPRC_LIFT, method.name, area - chance


def _auprc(marked: NDArray[np.bool_], values: NDArray[np.float64]) -> float:
    from sklearn.metrics import auc, precision_recall_curve

    precision, recall, _ = precision_recall_curve(marked, values)
    return float(auc(recall, precision))


def _passage_f1(marked: NDArray[np.bool_], picked: NDArray[np.bool_]) -> float:
    truth, said = _passages(marked), _passages(picked)
    hits = sum(any(len(one & other) >= _OVERLAP * len(one | other) for other in truth) for one in said)
    return 2 * hits / (len(truth) + len(said))


def _passages(chosen: NDArray[np.bool_]) -> list[set[int]]:
    places = np.flatnonzero(chosen)
    return [set(part.tolist()) for part in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(part)]
