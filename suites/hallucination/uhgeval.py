"""UHGEval: how Chinese news go on, and how models had them go on."""

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.rows import cluster_of
from suites.hallucination.pairs import Place, TruthPair

__all__ = ["UHGEval"]


class UHGEval(TruthPair):
    """The true next sentence of a Chinese news report beside one that a model made up (Liang et al., 2024).

    What it measures. As `halueval_qa`, where nothing but the beginning of the report is given: what the model knows of
    the event, and what it thinks plausible. People marked every keyword of the made-up sentences.

    Why it matters. No one asked for a lie here: these are hallucinations as models write them by themselves.

    Limits. Both sentences have the same length, so it can be trusted where the others can't, but for one thing: models
    wrote the made-up ones (Baichuan2-13B two thirds of them), and to a model, its own kind's sentences are likely. See
    `right_likelier_blind`. The beginning rarely decides which sentence is true. News from 2015 on may have been in
    training. In Chinese: of a model that wasn't trained on it nothing is learnt. Chance is 0.5. 5 of 5,141 pairs by
    default: an error of up to 0.23; pairs with the same beginning are clustered.
    """

    name = "uhgeval"
    data = "uhgeval"
    languages = ("zh",)
    default_limit = 5
    before = ""

    @override
    def place(self, row: Row) -> Place:
        return Place(
            read=row["newsBeginning"].strip(),
            blind="",
            asked="\n最后一句话属实吗？请回答“是”或“否”。\n回答：",
            verdicts=("是", "否"),
        )

    @override
    def texts(self, row: Row) -> tuple[str, str]:
        return row["realContinuation"].strip(), row["hallucinatedContinuation"].strip()

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's."""
        return str(row["id"])

    @override
    def cluster(self, row: Row) -> str:
        """The beginning."""
        return cluster_of(row["newsBeginning"])
