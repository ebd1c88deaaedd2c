"""Explanations by the engine beside captum's own loop, in one process and in turn.

    python -m benchmarks.attribution [--model smollm2-135m] [--questions 2] [--page docs/benchmarks.md]

Both sides explain the same decisions on questions of CommonsenseQA by occlusion, Shapley sampling and KernelSHAP, with
captum's algorithms and seeds, and give the same values. captum's loop sends one text at a time through the plain
transformers model, once for each choice, or, in its better form, with the choices as one padded batch. Compared is
processor time, so run it with OMP_NUM_THREADS=1; the time for planning and tokenizing counts, that for loading the
model doesn't.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from captum.attr import KernelShap, Occlusion, ShapleyValueSampling

from benchmarks.page import put
from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.requests import Attribute
from harness.core.tasks import TaskSettings
from harness.data import find, load_data
from harness.engine.attribution.ablations import Ablations
from harness.engine.opening import loaded_model
from suites.explainability.attributed import AttributionCommonsenseQA

METHODS = ("occlusion", "shapley_sampling", "kernel_shap")


class Loop:
    """captum's side: the log-odds of the decision for one text after another, by the plain model."""

    def __init__(
        self, loaded: Any, request: Attribute, units: tuple[str, ...], decision: int, *, batched: bool
    ) -> None:
        self.model, self.tokenizer = loaded.model, loaded.tokenizer
        self.request, self.decision, self.batched = request, decision, batched
        self._texts = Ablations(request, units, model=None)  # type: ignore[arg-type]  # it is asked for texts alone

    def __call__(self, kept: torch.Tensor) -> torch.Tensor:
        """Log-odds, one a row of ones and zeros."""
        return torch.stack([self._log_odds(row) for row in kept])

    def _log_odds(self, kept: torch.Tensor) -> torch.Tensor:
        asked = self._texts._requests(kept.numpy() > 0)
        context = self.tokenizer(asked[0].context)["input_ids"]
        targets = [self.tokenizer(one.continuation)["input_ids"] for one in asked]
        groups = [targets] if self.batched else [[one] for one in targets]
        scores = torch.cat([self._likelihoods(context, group) for group in groups])
        others = [index for index in range(len(scores)) if index != self.decision]
        return scores[self.decision] - scores[others].logsumexp(0)

    @torch.inference_mode()
    def _likelihoods(self, context: list[int], targets: list[list[int]]) -> torch.Tensor:
        width = max(map(len, targets))
        rows = torch.tensor([[*context, *one, *[0] * (width - len(one))] for one in targets])
        chances = self.model(input_ids=rows).logits.log_softmax(-1)
        return torch.stack(
            [
                sum(chances[row, len(context) - 1 + step, token] for step, token in enumerate(one))
                for row, one in enumerate(targets)
            ]
        )


def captum_values(loop: Loop, count: int, request: Attribute) -> dict[str, list[float]]:
    """captum's own, unbatched."""
    settings, units = request.settings, torch.ones(1, count)

    def seeded(method: Any, **arguments: Any) -> list[float]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            return [float(value) for value in method(loop).attribute(units, baselines=0, **arguments)[0]]

    return {
        "occlusion": seeded(Occlusion, sliding_window_shapes=(1,)),
        "shapley_sampling": seeded(ShapleyValueSampling, n_samples=settings.permutations),
        "kernel_shap": seeded(KernelShap, n_samples=settings.coalitions),
    }


def timed(compute: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what was computed."""
    start = time.process_time()
    found = compute()
    return time.process_time() - start, found


def requests(count: int) -> list[Attribute]:
    """Of so many questions, with the methods that ask alone."""
    task = AttributionCommonsenseQA()
    task.methods = METHODS
    assert isinstance(task.data, str)
    rows = load_data(find(task.data), offline=False).rows
    samples = task.samples(rows, TaskSettings(limit=count, num_fewshot=0, seed=0))
    return [task.requests(sample)[0] for sample in samples]


def measure(model_name: str, count: int) -> list[dict[str, float]]:
    """For each question: processor seconds of each side, and the largest difference between their values in nats."""
    loaded = load_model(resolve(model_name), dtype="float32", device="cpu")
    model = loaded_model(loaded, batch_tokens=2048)
    asked = requests(count + 1)
    # The first explanation of a process imports captum and scikit-learn.
    model.answer(model.plan([asked.pop()])[0])
    found = []
    for request in asked:
        spare = {**vars(request)}
        spare.pop("id", None)
        seconds, answers = timed(lambda: model.answer(model.plan([Attribute(**spare)])[0]))  # noqa: B023
        (response,) = answers
        explained = response.attribution
        assert explained is not None, response.invalid
        row = {"units": len(explained.units), "texts": explained.evaluation_count, "ours": seconds}
        for name, batched in (("alone", False), ("choices", True)):
            loop = Loop(loaded, request, explained.units, explained.decision, batched=batched)
            row[name], theirs = timed(lambda: captum_values(loop, len(explained.units), request))  # noqa: B023
            differences = [
                abs(one - other)
                for method in explained.methods
                if method.name in theirs
                for one, other in zip(method.values, theirs[method.name], strict=True)
            ]
            row["difference"] = max([*differences, row.get("difference", 0.0)])
        found.append(row)
        print(row, flush=True)
    return found


def report(model_name: str, rows: list[dict[str, float]]) -> str:
    """The measurement as a part of the page."""
    lines = [
        "## Explanations beside captum's own loop",
        "",
        f"`{model_name}`, questions of CommonsenseQA with five choices, explained word by word by occlusion, Shapley",
        "sampling and KernelSHAP. Both sides run captum's algorithms with the same seeds, in turn, in one process;",
        "processor time on one thread. captum's loop sends one text at a time through the plain transformers model:",
        "each choice in a pass of its own, or the five as one padded batch. Ours answers all that the methods ask as",
        "one plan of the prefix-tree engine; its time also holds the ablations of faithfulness and infidelity.",
        "",
        "| words | texts asked | ours, s | captum, a pass a choice, s | captum / ours | captum, choices batched, s "
        "| captum / ours | largest difference, nats |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['units']:.0f} | {row['texts']:.0f} | {row['ours']:.1f} | {row['alone']:.1f} "
            f"| {row['alone'] / row['ours']:.1f} | {row['choices']:.1f} | {row['choices'] / row['ours']:.1f} "
            f"| {row['difference']:.1g} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--questions", type=int, default=2)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    text = report(options.model, measure(options.model, options.questions))
    print(text)
    if options.page:
        put(options.page, "attribution", text)


if __name__ == "__main__":
    main()
