"""The tasks of the suite: published questions of the suites `accuracy` and `reasoning`."""

from suites.accuracy.commonsense_qa import CommonsenseQA
from suites.accuracy.piqa import PIQA
from suites.contamination.orders import OrderTask
from suites.contamination.overlap import OverlapTask
from suites.contamination.twins import TwinTask
from suites.reasoning.gsm8k import GSM8K

__all__ = ["CommonsenseQAOrder", "CommonsenseQAOverlap", "GSM8KTwins", "PIQAOrder", "PIQAOverlap"]


class PIQAOrder(OrderTask):
    """The rows of PIQA (Bisk et al., 2020) in their published order, against other orders.

    What it measures. Whether the model finds four neighbouring rows likelier in the published order than in five others
    drawn at random, with the exact p value of that by chance (after Oren et al., 2023).
    `--task exchangeability:TASK` does it with another task.

    Why it matters. To a model that never read the file, no order of its rows is better than another.

    Limits. A p value, never a verdict; a large one is no proof of innocence. It sees training on the file in its order
    alone, in a form near to the task's own prompts.
    """

    def __init__(self) -> None:
        super().__init__(PIQA())
        self.name = f"exchangeability_{self.inner.name}"


class CommonsenseQAOrder(OrderTask):
    """The rows of CommonsenseQA (Talmor et al., 2019) in their published order, against other orders.

    What it measures. Whether the model finds four neighbouring rows likelier in the published order than in five others
    drawn at random, with the exact p value of that by chance (after Oren et al., 2023).
    `--task exchangeability:TASK` does it with another task.

    Why it matters. To a model that never read the file, no order of its rows is better than another.

    Limits. A p value, never a verdict; a large one is no proof of innocence. It sees training on the file in its order
    alone, in a form near to the task's own prompts.
    """

    def __init__(self) -> None:
        super().__init__(CommonsenseQA())
        self.name = f"exchangeability_{self.inner.name}"


class GSM8KTwins(TwinTask):
    """Stories of GSM8K (Cobbe et al., 2021) against twins with other numbers, by Min-K%++ and Min-K%.

    What it measures. Whether the model finds the published story more familiar than three twins of it, in which other
    stories' numbers stand, with the exact p value of that by chance. `--task freshness:TASK` does it with another task.

    Why it matters. GSM8K is in much training data, and its score means little where it was learnt by heart.

    Limits. A p value, never a verdict. Numbers of a true story fit each other, and those of a twin don't quite: a
    little above 0.5 proves nothing. Compare with a model that can't have read it.
    """

    def __init__(self) -> None:
        super().__init__(GSM8K())
        self.name = f"freshness_{self.inner.name}"


class PIQAOverlap(OverlapTask):
    """The questions of PIQA (Bisk et al., 2020), looked for in a corpus of the user's.

    What it measures. With `--corpus FOLDER`, the share of questions of which 13 words in a row stand there, and the
    accuracy on the others. Samples and prompts are those of `piqa`, so a run that asks both asks once.
    `--task overlap:TASK` does it with another task.

    Why it matters. Whoever has the training data, or what they were drawn from, can look.

    Limits. Exact words alone. It says what the corpus holds, not what the model read of it.
    """

    def __init__(self) -> None:
        super().__init__(PIQA())
        self.name = f"overlap_{self.inner.name}"


class CommonsenseQAOverlap(OverlapTask):
    """The questions of CommonsenseQA (Talmor et al., 2019), looked for in a corpus of the user's.

    What it measures. With `--corpus FOLDER`, the share of questions of which 13 words in a row stand there, and the
    accuracy on the others. Samples and prompts are those of `commonsense_qa`, so a run that asks both asks once.
    `--task overlap:TASK` does it with another task.

    Why it matters. Whoever has the training data, or what they were drawn from, can look.

    Limits. Exact words alone. It says what the corpus holds, not what the model read of it.
    """

    def __init__(self) -> None:
        super().__init__(CommonsenseQA())
        self.name = f"overlap_{self.inner.name}"
