"""MMLU with its options in another order."""

from harness.core.perturbations import MAX_SEVERITY
from suites.accuracy.mmlu import MMLU
from suites.robustness.metrics import CLEAN_SCORE, CONSISTENCY, FLIP_RATE, NOISY_SCORE, WORST_CASE_SCORE
from suites.robustness.variants import sample_perturbations
from suites.robustness.wrapper import RobustnessTask

__all__ = ["RobustnessMMLUOptions"]


class RobustnessMMLUOptions(RobustnessTask):
    """Whether a model chooses the same answer of MMLU (Hendrycks et al., 2021) whatever letter it stands under.

    What it measures. Each question is asked as it is and with its four options in three other orders, in each of which
    every option stands elsewhere. `consistency` is the agreement of the chosen options, not letters, over the four
    orders, and `flip_rate` the share of orders that change the choice. The right option stays right wherever it stands.

    Why it matters. A model that likes a letter or a place more than an answer is not one that knows, and its score
    hangs on how the test was sorted (Pezeshkpour and Hruschka, 2024; Zheng et al., 2024).

    Limits. A model that always gives the same letter has a consistency of 0 and flips every time, as every option
    moves; one at chance flips three times of four. Small models do so: see the limits of `mmlu`. 24 questions by
    default, without exemplars: errors are about 0.1.
    """

    metrics = (CLEAN_SCORE, NOISY_SCORE, WORST_CASE_SCORE, FLIP_RATE, CONSISTENCY)

    def __init__(self) -> None:
        order = sample_perturbations(["option_order"])
        super().__init__(MMLU(), order, severities=(MAX_SEVERITY,), per_severity=3)
        self.name = "robustness_mmlu_options"
        self.default_limit = 24
