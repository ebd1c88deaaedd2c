"""Which runs may be ranked together, and what sets the others apart: as `harness compare` says."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas as pd

from harness.core.text.reasons import Reason, told_together
from harness.decision.comparable import Questions, faults, part_fault

__all__ = ["Asked", "may_compare", "set_apart", "suite_differs"]

_UNKNOWN = "was indexed by an older version of the harness: `harness index` tells what it was asked"
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run was asked, and what the headline of each suite is made of, as the store has both: in JSON.

    The questions are None where an older version indexed the run.
    """

    questions: str | None
    parts: tuple[tuple[str, str], ...]


def set_apart(asked: Mapping[str, Asked], reference: str | None) -> pd.DataFrame:
    """One row a run: run_id, apart (None where it ranks with the others, else the reason), reference (the run that it
    can't be held against; of those that rank, the first).

    Any two that are ranked together may be compared, and their scores are made of the same tasks. The first is the
    reference, without one that which was asked what most runs were; the others join it, what most were asked first,
    where they may be compared with all that have joined.
    """
    order = _by_frequency(asked)
    names = {one: run_id for run_id, one in reversed(list(asked.items()))}
    if reference is not None and reference in asked:
        order = list(dict.fromkeys([asked[reference], *order]))
        names[asked[reference]] = reference
    together: list[Asked] = []
    reasons: dict[Asked, tuple[str | None, str]] = {}
    for one in order:
        against = ((member, fault) for member in together if (fault := _fault(member, one)))
        member, fault = next(against, (None, None if one.questions else _UNKNOWN))
        if fault is None:
            together.append(one)
        reasons[one] = (fault, names[member or next(iter(together), one)])
    return pd.DataFrame(
        [{"run_id": run_id, "apart": reasons[one][0], "reference": reasons[one][1]} for run_id, one in asked.items()],
        columns=["run_id", "apart", "reference"],
        dtype=object,
    )


def may_compare(one: Asked, other: Asked) -> bool:
    """Whether `harness compare` compares the two runs."""
    if one.questions is None or other.questions is None:
        return False
    return not faults(_read(one.questions), _read(other.questions))


def suite_differs(one: Asked, other: Asked, suite: str) -> bool:
    """Whether the two runs' scores of a suite can't be held against each other."""
    return _fault(one, other, suite) is not None


def _by_frequency(asked: Mapping[str, Asked]) -> list[Asked]:
    """What was asked, the most frequent first; of equally frequent ones that with more tasks, then the first."""
    counts = Counter(asked.values())
    sizes = {one: len(_read(one.questions).tasks) if one.questions else 0 for one in counts}
    return sorted(counts, key=lambda one: (-counts[one], -sizes[one]))


@lru_cache(_REMEMBERED)
def _fault(first: Asked, second: Asked, suite: str | None = None) -> str | None:
    if first.questions is None or second.questions is None:
        return _UNKNOWN
    one, other = (_of_suite(_read(text), suite) for text in (first.questions, second.questions))
    found, parts = faults(one, other), dict(second.parts)
    for name, made_of in first.parts:
        if name in parts and suite in (None, name):
            fault = part_fault(json.loads(made_of), json.loads(parts[name]))
            found += [Reason("{name}: {reason}", name=name, reason=fault)] if fault else []
    return told_together(found) or None


@lru_cache(_REMEMBERED)
def _read(questions: str) -> Questions:
    return Questions(**json.loads(questions))


def _of_suite(questions: Questions, suite: str | None) -> Questions:
    if suite is None:
        return questions
    return replace(questions, tasks={key: one for key, one in questions.tasks.items() if key.startswith(f"{suite}/")})
