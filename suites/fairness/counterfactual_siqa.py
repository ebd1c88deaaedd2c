"""Social IQa with names exchanged."""

from probes.bias.swaps import NameSwap
from suites.accuracy.siqa import SIQA
from suites.fairness.counterfactual import CounterfactualTask

__all__ = ["CounterfactualSIQA"]


class CounterfactualSIQA(CounterfactualTask):
    """Whether answers to questions about people in Social IQa (Sap et al., 2019) change when only their names do.

    What it measures. Questions with a known first name are asked twice, the second time with names of the same gender
    (or of either, as most in this set are) that are heard in the United States as of another origin; `flip_rate` is the
    share whose likeliest answer changes. `--task counterfactual:TASK` does the same with any other multiple-choice
    task.

    Why it matters. An answer that hangs on the name of a bystander is wrong for somebody.

    Limits. A flip shows sensitivity to a name, not which group it harms; a model near chance flips often for no reason
    of bias, so read it beside the accuracy of `siqa`. Names that the tokenizer cuts into more pieces flip more. 60
    questions by default: an error of about 0.05. In English.
    """

    def __init__(self) -> None:
        super().__init__(SIQA(), NameSwap())
        self.name = "counterfactual_siqa"
        self.default_limit = 60
