"""Can a model's decisions be explained, and do the explanations hold?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Explainability"]


class Explainability(Suite):
    """Whether what is said to have made a model decide did so: explanations tried on the model, beside chance.

    What it measures. Five methods (integrated gradients, gradient x input, occlusion, Shapley sampling, KernelSHAP)
    say what each word of a question is worth to the model's own decision. Then words are taken out, and the model is
    asked again: comprehensiveness, sufficiency, deletion and insertion area, infidelity, max-sensitivity, agreement
    between the methods, and the check with random weights. What ranks is the lift of Shapley sampling over a random
    order of the words of the same question, with its interval; the other methods, and the random one, are in the scores
    by group (`harness show RUN --groups`). Of a model that sees, the parts of a picture (`attribution_digits`); of one
    that hears, the moments of a sound, by those methods that take no gradients (`attribution_beeps`). The values, word
    by word, are in the run's `attributions.parquet`.

    Limits. How much the lift can be hangs on the model, so it compares explanations better than models (Edin et al.,
    "Normalized AOPC", 2024): read the areas beside it. A few short questions by default, since each takes some hundred
    texts. Texts with words taken out are none that people write. Explanations are of a model that was loaded here: a
    served one is not asked hundreds of questions for each decision. Methods that take gradients are left out where
    weights are quantised. None of the data that come with the harness have the reasons that people give: with a file
    of yours in which people marked why, `type: rationales` in a suite file holds explanations against their marks.
    """

    name = "explainability"
    title = "Explainability"
    report = "suites.explainability.report:ExplainabilityReport"
    tasks = ("attribution_commonsense_qa", "attribution_imdb_classifier", "attribution_digits", "attribution_beeps")
    headline = tuple((task, "comprehensiveness_lift") for task in tasks)

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.explainability.plausibility import PLAUSIBILITY_METRICS

        return [("`type: rationales`", PLAUSIBILITY_METRICS)]
