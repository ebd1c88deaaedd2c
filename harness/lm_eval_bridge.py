"""Our engine as a model of lm-evaluation-harness.

    lm_eval.simple_evaluate(model=HarnessLM("path/to/checkpoint"), tasks=["piqa"])

runs lm-eval's own tasks, scores and reports, and takes only the answers from here.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import Loader
from harness.core import registry
from harness.core.errors import CheckpointError, ModelError, TaskError
from harness.core.models import Kind, Model, ModelOptions, respond
from harness.core.requests import GenerateUntil, Loglikelihood, Request
from harness.engine.opening import open_model
from harness.engine.rendering import Renderer
from harness.lm_eval.chat import as_text
from harness.lm_eval.generation import generation_refusal
from harness.lm_eval.requests import our_request, result_of

__all__ = ["HarnessLM"]


class HarnessLM(LM):  # type: ignore[misc]
    """A checkpoint for `lm_eval.simple_evaluate`, answered by the engine of this package.

    `checkpoint` is whatever `harness eval --model` takes, and is read as the `kind` that it is of, unless one is given:
    a causal, sequence-to-sequence or masked model, or one that is served. `batch_tokens` bounds the padded tokens of a
    forward pass, None for the device's default. How near the answers are to those of lm-eval's `hf` model is said in
    docs/lm-eval.md; of a masked model, which lm-eval has none of, log-likelihoods are pseudo-log-likelihoods. A request
    that the kind can't answer, and generation settings that the engine doesn't know, raise `TaskError` before anything
    is asked.

    Raises `CheckpointError`, `InputError` or `UnavailableError` where the checkpoint can't be loaded, or is of a kind
    that answers none of lm-eval's requests.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        kind: str | None = None,
        base: str | None = None,
        dtype: str = "auto",
        device: str = "auto",
        batch_tokens: int | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        found = resolve(str(checkpoint), kind=kind, base=base)
        answered = registry.kind(found.kind)
        if not set(answered.answers) & {Loglikelihood, GenerateUntil}:
            raise CheckpointError(
                f"is of the kind {found.kind}, and a {answered.title} answers none of lm-eval's requests",
                place=str(checkpoint),
                fix="Evaluate it with `harness eval`, or name another kind",
            )
        options = ModelOptions(
            dtype=dtype, device=device, batch_tokens=batch_tokens, trust_remote_code=trust_remote_code
        )
        loader = Loader()
        model = open_model(found, options, loader=loader)
        self._begin(model, loader.tokenizer, answered, found.generation.followed)

    @classmethod
    def from_model(cls, model: Model, tokenizer: Any) -> Self:
        """Any `Model` at all; `tokenizer` is a transformers tokenizer, asked for its chat template alone."""
        bridge = cls.__new__(cls)
        bridge._begin(model, tokenizer, None)
        return bridge

    def _begin(
        self, model: Model, tokenizer: Any, kind: Kind | None, own_settings: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.kind = kind
        self._own_settings = own_settings
        self._render = Renderer(tokenizer, date.today().isoformat())

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        """(nats, whether greedy decoding would write it) of each (context, continuation), in order."""
        return self._answers(requests)

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        """Nats of each text, every token predicted once, in order."""
        return self._answers(requests)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        """What the model writes after each context, in order."""
        return self._answers(requests)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """The conversation as one text, through the checkpoint's chat template; turns for a chat that is served.

        A template that takes no system turn gets the conversation without it, as from lm-eval's `hf`. Raises
        `ModelError` where there is no template, or it fails.
        """
        if self._is_chat:
            return as_text(chat_history, add_generation_prompt)
        if not getattr(self.tokenizer, "chat_template", None):
            raise ModelError("the model has no chat template", fix="Leave apply_chat_template out")
        text, _ = self._render(chat_history, goes_on=not add_generation_prompt)
        return text

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template's own text, for lm-eval's logs; a string names one of several. None if it isn't used."""
        if chat_template is False or self.tokenizer is None:
            return None
        return str(self.tokenizer.get_chat_template(None if chat_template is True else chat_template))

    @property
    def tokenizer_name(self) -> str:
        """What lm-eval keys its cache of prompts by; empty for a model that is served."""
        return str(getattr(self.tokenizer, "name_or_path", "")).replace("/", "__")

    @property
    def _is_chat(self) -> bool:
        return self.kind is not None and self.kind.is_chat

    def _answers(self, instances: Sequence[Instance]) -> list[Any]:
        asked = _with_seeds(instances, in_chat=self._is_chat)
        self._refuse(instances, asked)
        waiting: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(asked):
            waiting[request.id].append(index)
        distinct = {request.id: request for request in asked}
        results: list[Any] = [None] * len(instances)
        for response in respond(self.model, list(distinct.values())):
            # As lm-eval's own models do, give the whole of thoughts that have no end.
            result = response.raw_text if response.is_cut and response.text is None else result_of(response)
            if result is None:
                raise ModelError(
                    response.invalid or "the model gave no answer of the kind that was asked for",
                    place=instances[waiting[response.request_id][0]].task_name,
                )
            for index in waiting[response.request_id]:
                results[index] = result
                self.cache_hook.add_partial(instances[index].request_type, instances[index].args, result)
        return results

    def _refuse(self, instances: Sequence[Instance], requests: Sequence[Request]) -> None:
        """Raises `TaskError` for a request that a model of this kind can't answer."""
        for instance, request in zip(instances, requests, strict=True):
            refusal = self.kind.refusal(type(request)) if self.kind else None
            if self.kind and not refusal and isinstance(request, GenerateUntil):
                refusal = generation_refusal(instance.args[1], self.kind.name, self._own_settings)
            if refusal:
                raise TaskError(refusal, place=instance.task_name, fix="Choose another task, or another model")


def _with_seeds(instances: Sequence[Instance], *, in_chat: bool) -> list[Request]:
    """What each instance asks; lm-eval gives one that is repeated several times over, and each draws for itself."""
    seen: Counter[int] = Counter()
    requests = []
    for instance in instances:
        requests.append(our_request(instance, seed=seen[id(instance)], in_chat=in_chat))
        seen[id(instance)] += 1
    return requests
