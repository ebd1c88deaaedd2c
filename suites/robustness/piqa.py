"""PIQA with noise in its goals, and on their embeddings."""

from suites.accuracy.piqa import PIQA
from suites.robustness.metrics import (
    CLEAN_SCORE,
    FLIP_RATE,
    NOISY_SCORE,
    RELATIVE_DROP,
    SEVERITY_AREA,
    WORST_CASE_SCORE,
)
from suites.robustness.variants import perturbations, sample_perturbations
from suites.robustness.wrapper import RobustnessTask

__all__ = ["RobustnessPIQA", "RobustnessPIQAEmbeddings"]


class RobustnessPIQA(RobustnessTask):
    """How much of its score in PIQA (Bisk et al., 2020) a model keeps when the goals are written with errors.

    What it measures. Each question is asked as it is and in ten noisy variants, two at each severity from 1 to 5, by
    perturbations drawn for it: typing and scanning errors, look-alike letters, case, spaces, punctuation,
    contractions, numbers, the order of words, filler sentences, other labels of the prompt. Right answers that still
    stand are then attacked by up to six more, chosen by what came nearest to turning them. Three exemplars, the same
    for all and without noise. `--task robustness:TASK` does the same with any task of multiple choice, generation or
    classification, those of lm-evaluation-harness (`robustness:lm-eval:NAME`) and your own among them.

    Why it matters. People mistype, scanners misread, and a prompt's labels are a matter of taste. PIQA is a test in
    which even small models are above chance, so that there is something to lose.

    Limits. Only the goal is disturbed, not the two solutions, which a model may tell apart without it: the drop is
    smaller than in tasks that hang on the question. 45 questions by default: an error of about 0.07 of the clean
    score, and of about 0.02 of the flip rate; figures by perturbation rest on some 35 variants each. In English.
    """

    def __init__(self) -> None:
        super().__init__(PIQA(), perturbations())
        self.name = "robustness_piqa"
        self.default_limit, self.default_num_fewshot = 45, 3


class RobustnessPIQAEmbeddings(RobustnessTask):
    """How much of its score in PIQA (Bisk et al., 2020) a model keeps when it reads the goals with Gaussian noise.

    What it measures. Each question is asked as it is and at severities 1 to 5, whose noise on the embedding of each
    token of the goal has 0.4, 0.8, 1.2, 1.6 and 2 times that embedding's own size. Up to 2 an embedding is still the
    nearest of the vocabulary to what it became, as tried with a model of 576 numbers an embedding. Exemplars, labels
    and solutions bear none; they are read once for all severities.

    Why it matters. It shakes all words by the same measure, in any language and without rules about writing, so it says
    how smooth a model is around the texts it is asked about.

    Limits. Nobody writes such noise: it complements typing errors, and doesn't stand for them. Models whose embeddings
    have more numbers stand more of it. Out of reach where a model is served elsewhere. 24 questions by default: drops
    below 0.1 can't be told from none.
    """

    metrics = (CLEAN_SCORE, NOISY_SCORE, RELATIVE_DROP, WORST_CASE_SCORE, FLIP_RATE, SEVERITY_AREA)

    def __init__(self) -> None:
        super().__init__(PIQA(), sample_perturbations(["embedding_noise"]), per_severity=1)
        self.name = "robustness_piqa_embeddings"
        self.default_limit, self.default_num_fewshot = 24, 3
