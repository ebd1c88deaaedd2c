"""`--gen-kwargs`: how texts are written, by the names that transformers and lm-evaluation-harness have for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.checkpoints.generation_config import overridden
from harness.checkpoints.loading.dtypes import SERVED
from harness.core import registry
from harness.core.checkpoints import Checkpoint
from harness.core.errors import InputError
from harness.core.requests import GenerateUntil
from harness.tasks.sampling import Sampling

__all__ = ["GenKwargs", "parse_gen_kwargs"]

PLACE = "--gen-kwargs"
_SAMPLING = ("do_sample", "temperature", "top_p", "top_k", "max_new_tokens")
_STEERING = ("repetition_penalty", "no_repeat_ngram_size", "min_new_tokens")
_ALIASES = {"max_gen_toks": "max_new_tokens", "max_tokens": "max_new_tokens", "min_tokens": "min_new_tokens"}
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenKwargs:
    """What the user says: `sampling` in the place of a task's settings, `steering` in that of the checkpoint's.

    Both are by their names in transformers. Where there is a temperature, `do_sample` follows from it.
    """

    sampling: Mapping[str, Any] = field(default_factory=dict)
    steering: Mapping[str, Any] = field(default_factory=dict)

    def drawn(self, given: Mapping[str, Any]) -> Sampling:
        """How answers are drawn, where options of their own say what is `given`, by the fields of `Sampling`.

        Raises `InputError` where both say the same thing, and for what can't be.
        """
        said = dict(self.sampling)
        samples, heat = said.pop("do_sample", None), said.get("temperature", given.get("temperature"))
        if heat is not None and samples == (heat == 0):
            raise InputError(
                f"do_sample={str(samples).lower()} contradicts temperature={heat:g}",
                place=PLACE,
                fix="Leave do_sample out: above 0 answers are drawn, at 0 they are greedy",
            )
        if samples is True and heat is None:
            said["temperature"] = 1.0
        if samples is False and given.get("samples", 1) > 1:
            said["temperature"] = 0.0
        if "max_new_tokens" in said:
            said["max_tokens"] = said.pop("max_new_tokens")
        usual = Sampling()
        for name in said:
            if name in given and given[name] != getattr(usual, name):
                raise InputError(
                    f"{name} is given twice",
                    place=f"--{name.replace('_', '-')} and {PLACE}",
                    fix="Leave one of them out",
                )
        return Sampling(**{**given, **said})

    def steered(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint as it writes so. Raises `InputError` where it doesn't write, or its server decides."""
        if not self.steering:
            return checkpoint
        named, kind = ", ".join(self.steering), registry.kind(checkpoint.kind)
        if reason := kind.refusal(GenerateUntil):
            raise InputError(f"{named} has no effect on {checkpoint.ref}: {reason}", place=PLACE, fix="Leave it out")
        if checkpoint.dtype == SERVED:
            raise InputError(
                f"{named}: a served model writes as its server says", place=PLACE, fix="Set it where the server starts"
            )
        return replace(checkpoint, generation=overridden(checkpoint.generation, self.steering, place=PLACE))


def parse_gen_kwargs(text: str | None) -> GenKwargs:
    """`key=value,...` as lm-evaluation-harness takes it. Raises `InputError` for what can't be followed."""
    said: dict[str, Any] = {}
    for part in filter(None, map(str.strip, (text or "").split(","))):
        written, equals, value = (side.strip() for side in part.partition("="))
        name = _ALIASES.get(written, written)
        if not equals or not value:
            raise InputError(
                f"{part!r} isn't of the form key=value",
                place=PLACE,
                fix="Write repetition_penalty=1.1,min_new_tokens=8",
            )
        if name not in (*_SAMPLING, *_STEERING):
            raise InputError(
                f"{written} can't be set there",
                place=PLACE,
                fix=f"It takes {', '.join((*_SAMPLING, *_STEERING))}",
            )
        if name in said:
            raise InputError(f"{name} is given twice", place=PLACE, fix="Leave one of them out")
        said[name] = _value(name, value)
    if "temperature" in said:
        said.setdefault("do_sample", said["temperature"] != 0)
    return GenKwargs(
        sampling={name: said[name] for name in _SAMPLING if name in said},
        steering={name: said[name] for name in _STEERING if name in said},
    )


def _value(name: str, text: str) -> Any:
    wanted = {
        "do_sample": "true or false",
        "temperature": "a number",
        "top_p": "a number",
        "repetition_penalty": "a number",
    }
    kind = wanted.get(name, "a whole number")
    try:
        if kind == "true or false":
            return _WORDS[text.casefold()]
        return float(text) if kind == "a number" else int(text)
    except (KeyError, ValueError) as error:
        raise InputError(f"{name}={text}: is not {kind}", place=PLACE) from error
