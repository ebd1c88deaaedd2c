"""Does the model learn from examples that it is shown?"""

from collections.abc import Sequence
from types import MappingProxyType

from typing_extensions import override

from harness.core.metrics import Metric
from harness.core.scores import Estimate
from harness.core.tasks import Results, Suite

__all__ = ["Adaptation"]


_DERIVED: dict[tuple[str, ...], str] = {
    ("training_seconds", "training_energy_joules"): (
        "Seconds by the clock and joules of the whole machine, idle draw included, that fitting the adapter took, by "
        "the number of rows; without a group that of the most. Lower is better. They hold neither the loading of the "
        "model nor the questions."
    ),
}


class Adaptation(Suite):
    """How much the model learns from exemplars in its context, by how many there are.

    What it measures. Accuracy after 0, 1, 2, 4, 8, 16 and 32 exemplars, as many as the window holds: the area under
    that curve, the gain a doubling, and what both hang on, the answers of the exemplars, their choice and their order.
    Two tasks are made up from the run's seed, so that nothing but the exemplars can tell the answer; PIQA beside them
    is one that models know. `--task fewshot_curve:TASK` does the same with any task of choices.

    With `--adapt lora` the model is also trained on 8, 32 and 128 rows of PIQA, and asked the same questions without
    exemplars: learning in the context and training on the same rows stand side by side, with seconds and joules of the
    training. `--task lora_curve:TASK` does so with any task of choices. For each number of rows an adapter is fitted
    from the start, and dropped behind its questions: LoRA (Hu et al., 2022) of rank 8 (alpha 16) on every linear layer
    but the output head, 4 times through the rows, a row a step, AdamW from 0.0005 down to 0 in a straight line, the
    loss on the tokens of the right answers alone. It takes minutes on a processor, and is done only where it is asked
    for. Models that are served or quantised, adapters, and kinds other than causal ones aren't trained.

    Why it matters. Few people have more than some examples of what they want. A model that learns from them can be put
    to uses that nobody trained it for; one that only recognises tasks can't.

    Limits. Without `--adapt` nothing is trained: this is learning within the context. With it, one recipe serves all
    models: one that it doesn't suit might learn more from another. Default sizes are small: read the intervals, and the
    area before single points of a curve.
    """

    name = "adaptation"
    title = "Adaptation"
    report = "suites.adaptation.report:AdaptationReport"
    tasks = ("made_up_names", "made_up_rules", "fewshot_piqa")
    headline = (
        ("made_up_names", "adaptation_area"),
        ("made_up_rules", "adaptation_area"),
        ("fewshot_piqa", "adaptation_area"),
    )
    derived = MappingProxyType(_DERIVED)
    derives_of_tasks = True

    @override
    def further_metrics(self) -> Sequence[tuple[str, Sequence[Metric]]]:
        from suites.adaptation.curve import ALL_SHOTS
        from suites.adaptation.lora import ALL_ROWS
        from suites.adaptation.metrics import curve_metrics, trained_metrics

        return [
            ("`fewshot_curve:TASK`", curve_metrics(ALL_SHOTS[-1], several_draws=True)),
            ("`lora_curve:TASK`", trained_metrics(ALL_ROWS[-1])),
        ]

    @override
    def derive(self, results: Results) -> Sequence[Estimate]:
        """What training cost, where a model was trained."""
        from suites.adaptation.costs import training_costs

        return training_costs(self.name, results)
