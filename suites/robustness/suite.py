"""Do answers survive errors in what the model reads?"""

from harness.core.tasks import Suite

__all__ = ["Robustness"]


class Robustness(Suite):
    """Whether answers survive noise in the questions: errors of typing and scanning, odd layout, other wording.

    What it measures. The score at each severity from 0 to 5 and by kind of noise, what share of the clean score is lost
    (paired by question), how often the answer changes, the worst case over the variants of a question, how often and
    in how many tries an attack that learns from the answers turns a right one. The same with Gaussian noise on the
    embeddings of the question, and with lettered options in another order. Of a model that sees, noise in its
    pictures, too (`corrupted_digits`, `corrupted_scenes`): twelve kinds of what cameras and compression do; and wrong
    answers written below them (`typographic_digits`). Lower drops, flips and successes of attacks are better.

    Limits. The noise is made by rules, and only resembles what people write; it keeps the meaning of most texts, not
    of all, at high severity. A model that ignores the question never changes its answer: read every figure beside the
    clean score. By default texts in English are disturbed, and in `robustness_idiom_meanings` Chinese ones by
    perturbations of their own; `--task robustness:TASK` takes any task.
    """

    name = "robustness"
    title = "Robustness"
    report = "suites.robustness.report:RobustnessReport"
    tasks = (
        *("robustness_piqa", "robustness_piqa_embeddings", "robustness_mmlu_options", "robustness_idiom_meanings"),
        *("corrupted_digits", "corrupted_scenes", "typographic_digits", "typographic_matched_digits"),
    )
    headline = (("robustness_piqa", "relative_drop"),)
