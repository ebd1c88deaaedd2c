"""Our engine as a model of lm-evaluation-harness.

    lm_eval.simple_evaluate(model=HarnessLM("path/to/checkpoint"), tasks=["piqa"])

runs lm-eval's own tasks, scores and reports, and takes only the answers from here.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from harness.checkpoints import resolve
from harness.checkpoints.load import load
from harness.core.errors import ModelError
from harness.core.models import Model, respond
from harness.core.requests import Request
from harness.engine.causal import CausalModel
from harness.engine.devices import default_batch_tokens, resolve_device
from harness.tasks.lm_eval_requests import request_of, result_of

__all__ = ["HarnessLM"]


class HarnessLM(LM):  # type: ignore[misc]
    """A checkpoint for `lm_eval.simple_evaluate`, answered by the engine of this package.

    `checkpoint` is a folder, a `.gguf` file, a hub id or a built-in name; `batch_tokens` bounds the padded tokens of a
    forward pass, None for the device's default. The log-likelihoods are those of lm-eval's `hf` model but for
    rounding; greedy generations are the same. Generation settings the engine doesn't know raise `TaskError`.

    Raises `CheckpointError`, `InputError` or `UnavailableError` where the checkpoint can't be loaded.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        dtype: str = "auto",
        device: str = "auto",
        batch_tokens: int | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        place = resolve_device(device)
        loaded = load(resolve(str(checkpoint)), dtype=dtype, device=place, trust_remote_code=trust_remote_code)
        self._begin(CausalModel(loaded, batch_tokens=batch_tokens or default_batch_tokens(place)), loaded.tokenizer)

    @classmethod
    def from_model(cls, model: Model, tokenizer: Any) -> Self:
        """Any `Model` at all; `tokenizer` is a transformers tokenizer, asked for its chat template alone."""
        bridge = cls.__new__(cls)
        bridge._begin(model, tokenizer)
        return bridge

    def _begin(self, model: Model, tokenizer: Any) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer

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
        """The conversation as one text, through the checkpoint's chat template."""
        return str(
            self.tokenizer.apply_chat_template(
                chat_history,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
            )
        )

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template's own text, for lm-eval's logs; a string names one of several. None if it isn't used."""
        if chat_template is False:
            return None
        return str(self.tokenizer.get_chat_template(None if chat_template is True else chat_template))

    @property
    def tokenizer_name(self) -> str:
        """What lm-eval keys its cache of prompts by."""
        return str(self.tokenizer.name_or_path).replace("/", "__")

    def _answers(self, instances: Sequence[Instance]) -> list[Any]:
        asked = _with_seeds(instances)
        waiting: dict[str, list[int]] = defaultdict(list)
        for index, request in enumerate(asked):
            waiting[request.id].append(index)
        distinct = {request.id: request for request in asked}
        results: list[Any] = [None] * len(instances)
        for response in respond(self.model, list(distinct.values())):
            result = result_of(response)
            if result is None:
                raise ModelError(
                    response.invalid or "the model gave no answer of the kind that was asked for",
                    place=instances[waiting[response.request_id][0]].task_name,
                )
            for index in waiting[response.request_id]:
                results[index] = result
                self.cache_hook.add_partial(instances[index].request_type, instances[index].args, result)
        return results


def _with_seeds(instances: Sequence[Instance]) -> list[Request]:
    """What each instance asks; lm-eval gives one that is repeated several times over, and each draws for itself."""
    seen: Counter[int] = Counter()
    requests = []
    for instance in instances:
        requests.append(request_of(instance, seed=seen[id(instance)]))
        seen[id(instance)] += 1
    return requests
