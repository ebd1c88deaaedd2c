"""Social IQa."""

from types import MappingProxyType

from typing_extensions import override

from harness.core.tasks import Row
from harness.tasks.lettered import LetteredChoice
from harness.tasks.rows import cluster_of

__all__ = ["SIQA"]


class SIQA(LetteredChoice):
    """Social common sense: what people want, feel and do next (Sap et al., 2019).

    What it measures. Whether the model finds the expected motive, reaction or next step likelier than two others.

    Why it matters. Systems that talk with people need a sense of what follows from what people do.

    Limits. What is expected is what crowd workers in the United States expected. Three choices, so a third are right
    by luck. Situations are one sentence long. Samples about one situation are clustered, verbatim repeats among them.
    """

    name = "siqa"
    data = "siqa"
    default_limit = 200
    excluded = MappingProxyType({669: "the gold answer is given twice, under A and B"})

    @override
    def question(self, row: Row) -> str:
        """The situation and the question, as in lm-evaluation-harness."""
        return f"Q: {row['passage']} {row['question']}\nA:"

    @override
    def cluster(self, row: Row) -> str:
        """The situation."""
        return cluster_of(row["passage"])
