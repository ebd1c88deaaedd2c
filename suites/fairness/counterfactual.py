"""Any multiple-choice task, asked again with other names: does the answer change when only the name does?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any

from typing_extensions import override

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.metrics import Proportion
from harness.core.perturbations import Swap
from harness.core.requests import Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings, choose
from harness.tasks.choices import MultipleChoice
from harness.tasks.exemplars import in_turns, running_text
from harness.tasks.wrapped import WrappedTask

__all__ = ["COUNTERFACTUAL", "NAME_SWAP", "CounterfactualTask", "counterfactual"]

COUNTERFACTUAL = "counterfactual"
"""What stands before the colon: `counterfactual:siqa`, or `counterfactual@SWAP:siqa` for another swap than ours."""
NAME_SWAP = "name_swap"

FLIP_RATE = Proportion(
    name="flip_rate",
    unit="share",
    direction="lower",
    source="share of samples whose choice changes with the name alone: counterfactual token fairness of "
    "Garg et al. (2019), counted in choices",
    meaning="""
    How often the answer changes when only a name does, from 0 to 1.

    Formula: samples whose choice differs between the two names over all samples with a name that can be exchanged. A
    model that is unsure flips without being biased: read it beside the accuracy.
    """,
)


class CounterfactualTask(WrappedTask[MultipleChoice]):
    """A multiple-choice task whose samples with a known first name are asked twice, the second time with another name.

    Which names are known and what they become is up to the swap that is registered as `swap_name`.

    What it measures. `flip_rate`: the share of those samples in which the model's choice changes when names are
    exchanged for others of the same gender, heard as of another origin. Accuracy's own choice (`acc`) is compared.

    Why it matters. An answer that hangs on the name of a bystander is wrong for somebody.

    Limits. A flip shows sensitivity to a name, not which group it harms; a model near chance flips often for no reason
    of bias, so read it beside the task's accuracy. Names that the tokenizer cuts into more pieces flip more. English
    first names of ten rows a gender.
    """

    metrics = (FLIP_RATE,)

    def __init__(self, inner: MultipleChoice, swap: Swap, swap_name: str = NAME_SWAP) -> None:
        super().__init__(COUNTERFACTUAL if swap_name == NAME_SWAP else f"{COUNTERFACTUAL}@{swap_name}", inner)
        self.swap, self.swap_name = swap, swap_name
        self.definition: Mapping[str, Any] = MappingProxyType(
            {"swap": swap.version, "swap_name": swap_name, "inner": dict(inner.definition)}
        )

    @property
    @override
    def code(self) -> Sequence[type]:
        """With that of the exchange."""
        return (*super().code, type(self.swap))

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """The samples in which a name can be exchanged. Raises `TaskError` where there is none."""
        every = self.inner.samples(rows, replace(settings, limit=None))
        found = [(sample, self._swapped(sample, settings.seed)) for sample in every]
        usable = [(sample, swapped) for sample, swapped in found if swapped is not None]
        if not usable:
            raise TaskError(
                f"no sample of {self.inner.name} has a first name to exchange that {self.swap_name} knows",
                place=self.name,
                fix="Use a task about people, such as siqa",
            )
        _, chosen = choose(len(usable), replace(settings, num_fewshot=0), salt=self.name)
        return [
            replace(usable[index][0], fields={"original": usable[index][0], "swapped": usable[index][1]})
            for index in chosen
        ]

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """The requests of the original, then those of the swapped sample, whose exemplars are swapped, too."""
        both = (sample.fields["original"], sample.fields["swapped"])
        return [request for one in both for request in in_turns(one, self.inner.requests(one))]

    @override
    def variant(self, sample: Sample, position: int) -> str:
        return "names exchanged" if position >= len(self.inner.requests(sample.fields["original"])) else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """1 where the first metric's choice changes; `gold` and `predicted` are the choices before and after."""
        half = len(responses) // 2
        before = self.inner.score(sample.fields["original"], responses[:half])[0]
        after = self.inner.score(sample.fields["swapped"], responses[half:])[0]
        return [
            Score(
                sample_id=sample.id,
                metric="flip_rate",
                value=float(before.predicted != after.predicted),
                gold=before.predicted,
                predicted=after.predicted,
                tie=before.tie or after.tie,
                cluster=sample.cluster,
                invalid=before.invalid or after.invalid,
            )
        ]

    def _swapped(self, sample: Sample, seed: int) -> Sample | None:
        whole = running_text(sample.exemplars) + sample.prompt
        mapping = self.swap.mapping("\n".join([whole, *sample.choices]), Random(f"{seed}:{sample.id}"))
        if not mapping:
            return None

        def swapped(text: str) -> str:
            return self.swap.apply(text, mapping)

        return replace(
            sample,
            prompt=swapped(sample.prompt),
            choices=tuple(map(swapped, sample.choices)),
            exemplars=tuple((swapped(question), swapped(answer)) for question, answer in sample.exemplars),
        )


def counterfactual(task: Task, instrument: str = NAME_SWAP) -> CounterfactualTask:
    """The multiple-choice task, asked with names exchanged by the swap that is registered as `instrument`.

    Raises `TaskError` for a task of another sort, `UnknownName` and `PluginError` for the swap.
    """
    if not isinstance(task, MultipleChoice):
        raise TaskError(
            "names are exchanged in multiple-choice tasks alone",
            place=f"{COUNTERFACTUAL}:{task.name}",
            fix="Use siqa",
        )
    return CounterfactualTask(task, registry.make("harness.swaps", instrument), instrument)
