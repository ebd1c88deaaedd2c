"""Metrics of instructions that are followed: by prompt and by instruction, to the letter and with good will."""

from collections.abc import Sequence

from harness.core.metrics import Mean, Metric
from harness.metrics.written import WRITTEN

__all__ = ["FAMILY", "FOLLOWED", "KIND", "LOOSE", "PROMPT_LOOSE", "STRICT"]

FAMILY, KIND = "family", "instruction"
_IFEVAL = "Zhou et al., Instruction-following evaluation for large language models (2023)"


def _share(name: str, by: tuple[str, ...], source: str, meaning: str) -> Mean:
    return Mean(
        name=name,
        unit="share",
        direction="higher",
        lowest=0.0,
        highest=1.0,
        by=by,
        smallest_group=2,
        source=source,
        meaning=meaning,
    )


PROMPT_LOOSE = _share(
    "prompt_level_loose",
    (),
    f"{_IFEVAL}: prompts of which all instructions are followed, in one of eight readings of the answer",
    """
    In [0, 1]: share of answers that follow all instructions of their prompt, each in some reading: as it stands,
    without its first line, its last or both, and each of these without asterisks. It forgives an introduction and
    bold type. `accuracy_all` is the same share to the letter (`prompt_level_strict_acc`). A cut answer isn't right.
    """,
)
STRICT = _share(
    "instruction_level_strict",
    (FAMILY, KIND),
    f"{_IFEVAL}: share of instructions that the answer follows as it stands",
    """
    In [0, 1]: share of instructions that are followed to the letter, of all prompts together, so that a prompt with two
    counts twice; also by family and kind of instruction. None of a cut answer counts as followed.
    """,
)
LOOSE = _share(
    "instruction_level_loose",
    (FAMILY,),
    f"{_IFEVAL}: share of instructions that are followed in one of eight readings of the answer",
    """
    In [0, 1]: as `instruction_level_strict`, where an instruction is followed if it is in some reading: without the
    answer's first line, its last or both, and without asterisks. What lies between the two is form around the answer.
    """,
)
FOLLOWED: Sequence[Metric] = (
    *(metric for metric in WRITTEN if metric.name != "unparsed"),
    *(PROMPT_LOOSE, STRICT, LOOSE),
)
"""Of a task whose answers are checked for instructions: every text is an answer, so none is unparsed."""
