"""Is it still the model that it was made from?"""

from collections.abc import Sequence

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.tasks import Suite

__all__ = ["Fidelity"]


class Fidelity(Suite):
    """How far a checkpoint is from a reference: the one that it was quantised, pruned, distilled or merged from.

    What it measures. With `--reference MODEL`, both are loaded and asked the same. On texts: the Kullback-Leibler
    divergence of the model's distribution of the next token from the reference's, at every token, exactly and in double
    precision; how often both find the same token likeliest; the ratio of their perplexities. On questions: which
    answers are no longer the same, which right ones are lost, which gained. A model held against itself is at 0.
    Without `--reference` the tasks are absent, with that reason.

    Limits. Both models have to be causal and have one vocabulary; their architectures may differ. Another vocabulary is
    refused, since the divergence is not defined then; where one has tokens added, what both have counts. Both are in
    memory at once, so the peak memory of such a run is that of two models, and its energy, too. The reference
    is no truth: to differ isn't to be worse. What compression cost in every dimension, with sizes and energy, is told
    by `harness compress-report`.
    """

    name = "fidelity"
    title = "Fidelity to a reference"
    report = "suites.fidelity.report:FidelityReport"
    tasks = ("fidelity_xsum_documents", "fidelity_piqa", "fidelity_commonsense_qa")
    headline = (("fidelity_xsum_documents", "kl_divergence"),)

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.fidelity.metrics import CHOICE_METRICS, TEXT_METRICS

        return [("`fidelity:TASK`", (*TEXT_METRICS, *CHOICE_METRICS))]
