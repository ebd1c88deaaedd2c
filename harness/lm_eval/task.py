"""A task of lm-evaluation-harness as one of ours."""

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from jinja2.exceptions import SecurityError
from lm_eval.api import metrics as lm_eval_metrics
from lm_eval.api.instance import Instance
from typing_extensions import override

from harness.core.checkpoints import Checkpoint
from harness.core.errors import HarnessError, TaskError
from harness.core.process.isolation import STEP_TIMEOUT_S
from harness.core.process.time_limit import MEMORY_BYTES, OverLimit, time_limit
from harness.core.requests import GenerateUntil, Loglikelihood, LoglikelihoodRolling, Request, Response
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, Task, TaskSettings
from harness.core.text.hashing import digest
from harness.lm_eval.chat import as_text, conversation_of
from harness.lm_eval.code import code_files
from harness.lm_eval.files import TASK_CODE, TIRESOME
from harness.lm_eval.generation import generation_refusal
from harness.lm_eval.metrics import LmEvalMetric, adopt
from harness.lm_eval.randomness import own_randomness
from harness.lm_eval.requests import our_request, result_of
from harness.tasks.choices import pick
from harness.tasks.options import ChatOptions

__all__ = ["LmEvalTask"]

PROMPT_BYTES = 3 << 29
"""What all prompts of a task may take: ten thousand questions behind exemplars of 30,000 characters take a third."""
SCORING_CPU_S = 2.0
"""For one document: its filters and metrics take a few milliseconds, the slowest of them 0.2 s."""

_CHOOSING = {"acc": "plain", "f1": "plain", "mcc": "plain", "acc_norm": "characters", "acc_bytes": "bytes"}
"""Metrics that hang on the likeliest choice, and what log-likelihoods are divided by before they are compared."""

_ASKED: Mapping[str, type[Request]] = {
    "multiple_choice": Loglikelihood,
    **{kind.kind: kind for kind in (Loglikelihood, LoglikelihoodRolling, GenerateUntil)},
}


class LmEvalTask(Task):
    """A task of lm-evaluation-harness (Gao et al., 2024), with its own prompts, exemplars, filters and scores.

    What it measures and where its limits are is said by the task's own file. Samples are its first documents, as with
    lm-eval's `--limit`; exemplars are drawn by the task's own sampler, seeded with the run's seed. A metric is
    reported once for each filter pipeline, as `metric:filter` where there are several. The errors of means and
    shares are ours; those of other metrics are bootstrapped with 1,000 resamples (100 for BLEU, chrF and TER).

    `definition` pins the task's file, apart from where its data lie; `data_digest` the documents asked, once `samples`
    was called. A task whose file says zero exemplars gets none, as in lm-eval. In a `chat` the task's own code builds
    the turns: its description and the system prompt, its exemplars, and what the answer begins with.

    What it has to do, such as matching its patterns, may take a bounded time unless its code is `trusted`.
    """

    languages = ()

    def __init__(self, task: Any, chat: ChatOptions | None = None, *, trusted: bool = False) -> None:
        self.task = task
        self.trusted = trusted
        self.chat = chat
        self.name = f"lm-eval:{task.task_name}"
        self.version = _whole_number(task.VERSION)
        self.default_num_fewshot = int(task.config.num_fewshot or 0)
        # Of a perplexity task lm-eval would build the exemplars, and leave them out of the request.
        self.supports_fewshot = task.config.num_fewshot != 0 and task.OUTPUT_TYPE != "loglikelihood_rolling"
        self.definition = {"version": str(task.VERSION), "config_sha256": _config_digest(task)}
        self.data_digest = None
        self.asks = (_ASKED[task.OUTPUT_TYPE],)
        self._adopted: dict[str, LmEvalMetric] = {}
        self.reported: dict[str, tuple[str, str]] = {}
        """The metric and the filter pipeline of lm-eval's behind each name of `metrics`."""
        for metric in task.aggregation():
            for ensemble in task._filters:
                self._metric(metric, ensemble.name)

    @property
    @override
    def scripts(self) -> Sequence[Path]:
        """The files of the functions that its file names."""
        return code_files(self.task)

    @override
    def refusal(self, checkpoint: Checkpoint) -> str | None:
        """Where no such model can be made to write as the task wants it."""
        settings = self.task.config.generation_kwargs or {}
        return generation_refusal(settings, checkpoint.kind, checkpoint.generation.followed)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """One sample for each of the first `limit` documents; its id is the document's number.

        Raises `TaskError` where the task's templates or functions fail on its data, or make prompts that take more than
        1.5 GB.
        """
        most_bytes = min(PROMPT_BYTES, psutil.virtual_memory().available // 2)
        with self._own_code("making its prompts", STEP_TIMEOUT_S, most_bytes), own_randomness():
            self.task.set_config("num_fewshot", settings.num_fewshot)
            self.task.set_fewshot_seed(settings.seed)
            # lm-eval shows a progress bar that can't be turned off.
            with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
                self._build(settings.limit)
            by_document: dict[int, list[Instance]] = defaultdict(list)
            for instance in self.task.instances:
                by_document[instance.doc_id].append(instance)
            samples = [self._sample(number, instances) for number, instances in by_document.items()]
            self.data_digest = _digest([instances[0].doc for instances in by_document.values()])
        return samples

    def _build(self, limit: int | None) -> None:
        chat = self.chat
        self.task.build_all_requests(
            limit=limit,
            rank=0,
            world_size=1,
            apply_chat_template=chat is not None,
            fewshot_as_multiturn=chat is not None and chat.fewshot_as_multiturn,
            system_instruction=chat.system_prompt if chat else None,
            chat_template=as_text if chat else None,
        )

    @override
    def requests(self, sample: Sample) -> Sequence[Request]:
        """What the document's instances ask, each as often as the task repeats it. Raises `TaskError`."""
        with self._own_code(f"asking document {sample.id}"):
            asked = [
                our_request(instance, seed=repeat, in_chat=self.chat is not None)
                for instance in sample.fields["instances"]
                for repeat in range(instance.repeats or 1)
            ]
            for request in asked:
                _ = request.id  # raises for a text that none can be made of
        return asked

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """lm-eval's own scores of a document, one for each metric and filter pipeline.

        Raises `TaskError` where the task's own code fails.
        """
        results = [result_of(response) for response in responses]
        for response, result in zip(responses, results, strict=True):
            if result is None:
                reason = response.invalid or "the model gave no answer of the kind that was asked for"
                return [Score(sample_id=sample.id, metric=metric.name, invalid=reason) for metric in self.metrics]
        instances: Sequence[Instance] = sample.fields["instances"]
        document, remaining = instances[0].doc, iter(results)
        answers = [[next(remaining) for _ in range(instance.repeats or 1)] for instance in instances]
        ties = self._ties(document, [answer for answer, *_ in answers])
        scores = []
        for ensemble in self.task._filters:
            answered = [
                replace(instance, resps=list(answer), filtered_resps={})
                for instance, answer in zip(instances, answers, strict=True)
            ]
            with self._own_code(f"scoring document {sample.id}"):
                ensemble.apply(answered)
                items = self.task.process_results(document, [one.filtered_resps[ensemble.name] for one in answered])
            for name, item in items.items():
                metric = self._metric(name, ensemble.name)
                tie = name in ties
                scores.append(Score(sample_id=sample.id, metric=metric.name, tie=tie, **metric.fields(item)))
        return scores

    def _sample(self, number: int, instances: list[Instance]) -> Sample:
        instances.sort(key=lambda instance: instance.idx)
        document = instances[0].doc
        choices = self.task.doc_to_choice(document) if self.task.OUTPUT_TYPE == "multiple_choice" else ()
        target = self.task.doc_to_target(document)
        prompt = str(instances[0].args[0])
        if self.chat is not None:
            _, prompt = conversation_of(prompt, self.name)
        return Sample(
            id=str(number),
            prompt=prompt,
            question_start=self._question_start(prompt, document),
            choices=tuple(choices),
            gold=target if isinstance(target, int | str) else None,
            fields={"instances": tuple(instances)},
        )

    def _question_start(self, prompt: str, document: Any) -> int:
        """Where the exemplars and the description end; told by what parts them where a question is no plain text."""
        own = self.task.doc_to_text(document)
        if isinstance(own, str) and own in prompt:
            return prompt.rindex(own)
        delimiter = self.task.config.fewshot_delimiter
        return prompt.rindex(delimiter) + len(delimiter) if delimiter in prompt else 0

    def pipelines(self, metric: str) -> list[str]:
        """The filter pipelines that lm-eval's `metric` is reported for."""
        return [pipeline for name, pipeline in self.reported.values() if name == metric]

    def reported_as(self, metric: str, pipeline: str) -> str | None:
        """The name under which lm-eval's `metric` of a filter pipeline is reported; None where it isn't."""
        return next((name for name, key in self.reported.items() if key == (metric, pipeline)), None)

    def _metric(self, metric: str, pipeline: str) -> LmEvalMetric:
        """The metric as one of ours; a task may come up with new ones while it scores, which lm-eval averages."""
        name = metric if len(self.task._filters) == 1 else f"{metric}:{pipeline}"
        if name not in self._adopted:
            self.reported[name] = metric, pipeline
            aggregation = self.task.aggregation().get(metric, lm_eval_metrics.mean)
            if aggregation is None:
                raise TaskError(
                    f"lm-eval has no aggregation for the metric {metric}",
                    place=self.name,
                    fix="Name one under `aggregation` in its metric_list",
                )
            higher = self.task.higher_is_better().get(metric)
            self._adopted[name] = adopt(metric, name=name, aggregation=aggregation, higher_is_better=higher)
            self.metrics = tuple(self._adopted.values())
        return self._adopted[name]

    def _ties(self, document: Any, results: Sequence[Any]) -> set[str]:
        """The metrics whose choice hangs on the rounding of log-likelihoods."""
        if self.task.OUTPUT_TYPE != "multiple_choice":
            return set()
        choices = [str(choice) for choice in self.task.doc_to_choice(document)]
        if not all(choices):
            return set()
        likelihoods = [result[0] for result in results[: len(choices)]]
        # In Latin-1 a character is a byte, so that `pick` divides by the bytes of UTF-8.
        as_bytes = [choice.encode().decode("latin-1") for choice in choices]
        tied = {
            "plain": pick(likelihoods, choices, normalised=False).tie,
            "characters": pick(likelihoods, choices, normalised=True).tie,
            "bytes": pick(likelihoods, as_bytes, normalised=True).tie,
        }
        return {metric for metric, way in _CHOOSING.items() if tied[way]}

    @contextmanager
    def _own_code(self, doing: str, cpu_s: float = SCORING_CPU_S, memory_bytes: int = MEMORY_BYTES) -> Iterator[None]:
        """Names the task in whatever its templates and functions raise, which may be anything, and bounds them."""
        try:
            with nullcontext() if self.trusted else time_limit(cpu_s, memory_bytes):
                yield
        except HarnessError:
            raise
        except OverLimit as error:
            raise TaskError(f"{doing}: {error}", place=self.name, fix=TIRESOME) from error
        except SecurityError as error:
            raise TaskError(f"a template can run code ({error})", place=self.name, fix=TASK_CODE) from error
        except Exception as error:
            raise TaskError(
                f"lm-eval fails at {doing} ({type(error).__name__}: {' '.join(str(error).split())})",
                place=self.name,
                fix="Check the task's file against its data",
            ) from error


def _whole_number(version: object) -> int:
    """A task's version as a whole number; 0 where it has none. The whole of it is in the definition."""
    try:
        return int(float(str(version)))
    except ValueError:
        return 0


def _config_digest(task: Any) -> str:
    return _digest(
        {key: value for key, value in task.dump_config().items() if key not in {"metadata", "dataset_kwargs"}}
    )


def _digest(value: Any) -> str:
    return digest(json.dumps(value, sort_keys=True, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return getattr(value, "__qualname__", None) or str(value)
