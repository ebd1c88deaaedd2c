"""What a checkpoint says of how it writes: read without transformers, and divided into what counts and what doesn't.

The one place where that is decided, for causal and sequence-to-sequence models alike. Followed is what `generate` of
transformers would do to the next token's scores, and what ends a text. How long a text may be, whether it is sampled
and with how many beams is the task's to say. A few settings need what the engine doesn't do: these are named.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, Strict, ValidationError

from harness.checkpoints.files import read_object, safe_file
from harness.core.checkpoints import GenerationSettings
from harness.core.errors import CheckpointError
from harness.core.text.hashing import MAX_INTEGER

__all__ = ["FILE", "overridden", "read_generation_settings"]

FILE = "generation_config.json"
_STRICT = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
_PARTS = ("decoder", "generator", "text_config")
"""Parts of an old config.json in which transformers looks for what the whole doesn't say."""

_A_LIST = Strict(False)
"""JSON has no tuples."""
MAX_LISTED = 10_000
"""Words that a text may not hold, and the like: each of them is looked for at every token that is written."""

_TokenIds = Annotated[list[NonNegativeInt], Field(min_length=1, max_length=MAX_LISTED)]


class _Followed(BaseModel):
    """Settings that decide which token comes next, or that none does."""

    model_config = _STRICT

    repetition_penalty: PositiveFloat | None = None
    encoder_repetition_penalty: PositiveFloat | None = None
    no_repeat_ngram_size: NonNegativeInt | None = None
    encoder_no_repeat_ngram_size: NonNegativeInt | None = None
    bad_words_ids: Annotated[list[_TokenIds], Field(max_length=MAX_LISTED)] | None = None
    sequence_bias: Annotated[list[Annotated[tuple[_TokenIds, float], _A_LIST]], Field(max_length=MAX_LISTED)] | None = (
        None
    )
    min_length: NonNegativeInt | None = None
    min_new_tokens: NonNegativeInt | None = None
    forced_bos_token_id: NonNegativeInt | None = None
    forced_eos_token_id: NonNegativeInt | _TokenIds | None = None
    exponential_decay_length_penalty: Annotated[tuple[NonNegativeInt, PositiveFloat], _A_LIST] | None = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
    eos_token_id: int | list[int] | None = None
    stop_strings: str | list[str] | None = None
    length_penalty: float | None = None
    early_stopping: bool | Literal["never"] | None = None
    renormalize_logits: bool | None = None


class _Tokens(BaseModel):
    """Tokens that have a part in every text."""

    model_config = _STRICT

    pad_token_id: int | None = None
    bos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | list[int] | None = None


class _TheTasks(BaseModel):
    """Settings in whose place a task's own count."""

    model_config = _STRICT

    max_length: PositiveInt | None = None
    max_new_tokens: PositiveInt | None = None
    do_sample: bool | None = None
    num_beams: PositiveInt | None = None
    num_return_sequences: PositiveInt | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    top_h: float | None = None
    typical_p: float | None = None
    epsilon_cutoff: float | None = None
    eta_cutoff: float | None = None


_FACTORS = ("penalty", "sequence_bias")
MAX_FACTOR = 1e6
"""A score times that, or with that added, is a number still."""

_UNFOLLOWED = (
    "guidance_scale",
    "watermarking_config",
    "penalty_alpha",
    "dola_layers",
    "num_beam_groups",
    "diversity_penalty",
    "constraints",
    "force_words_ids",
    "token_healing",
    "max_time",
    "remove_invalid_values",
)
"""Settings that would change a text and aren't followed: classifier-free guidance, a clock, and the like."""
_WITH_BEAMS = ("length_penalty", "early_stopping", "renormalize_logits", "num_beam_groups", "diversity_penalty")
_NEUTRAL: Mapping[str, Any] = {
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "min_length": 0,
    "min_new_tokens": 0,
    "length_penalty": 1.0,
    "early_stopping": False,
    "renormalize_logits": False,
    "max_length": 20,
    "do_sample": False,
    "num_beams": 1,
    "num_return_sequences": 1,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "guidance_scale": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "token_healing": False,
    "remove_invalid_values": False,
}
"""The values at which a setting changes nothing, or which transformers writes where nobody chose one."""


def read_generation_settings(
    folder: Path, config: Mapping[str, Any], *, rows: int | None, beams: bool
) -> GenerationSettings:
    """The settings of generation_config.json, or, where there is none, of an old config.json that holds them.

    `rows` is how many tokens have an embedding, None where that isn't known; `beams` whether the kind of model can be
    written with them. Raises `CheckpointError` naming the file and the field for a value of the wrong type, out of
    range, or about a token that there isn't.
    """
    path = folder / FILE
    # A broken link is read, too, so that it is refused.
    has_own = path.exists() or path.is_symlink()
    said = read_object(safe_file(folder, FILE)) if has_own else _of_config(config)
    place = path if has_own else folder / "config.json"
    _refuse_large(said, place)
    _checked(_Tokens, said, place)
    followed = _checked(_Followed, said, place)
    _check_tokens(followed, rows, place)
    if words := followed.pop("bad_words_ids", None):
        ends = followed.get("eos_token_id", [])
        allowed = [[end] for end in (ends if isinstance(ends, list) else [ends])]
        # The end of the text is never forbidden, whoever lists it.
        followed |= _in_force({"bad_words_ids": [word for word in words if word not in allowed]})
    requested = _checked(_TheTasks, said, place) if has_own else {}
    known = {name: value for name, value in said.items() if beams or name not in _WITH_BEAMS}
    return GenerationSettings(
        followed={name: value for name, value in followed.items() if name in known},
        requested=requested,
        unfollowed=_in_force({name: known.get(name) for name in _UNFOLLOWED}) if has_own else {},
    )


def overridden(settings: GenerationSettings, said: Mapping[str, Any], *, place: str) -> GenerationSettings:
    """The settings with what the user says in their place; a value that changes nothing takes the checkpoint's away.

    Raises `CheckpointError` naming the place for a value of the wrong type or out of range.
    """
    _refuse_large(said, place)
    kept = {name: value for name, value in settings.followed.items() if name not in said}
    return replace(settings, followed={**kept, **_checked(_Followed, said, place)})


def _refuse_large(said: Mapping[str, Any], place: Path | str) -> None:
    """Refuse numbers beyond what a run's spec can hold, and penalties that leave nothing of a score."""
    forms = (_Followed, _Tokens, _TheTasks)
    for field in (name for form in forms for name in form.model_fields if name in said):
        left = [said[field]]
        while left:
            value = left.pop()
            if isinstance(value, list):
                left += value
            elif type(value) is int and abs(value) > MAX_INTEGER:
                raise _refused(field, value, f"the limit is {MAX_INTEGER:,}", place)
            elif isinstance(value, float) and field.endswith(_FACTORS) and abs(value) > MAX_FACTOR:
                raise _refused(field, value, f"the limit is {MAX_FACTOR:g}", place)
            elif isinstance(value, float) and "repetition" in field and 0 < value < 1 / MAX_FACTOR:
                raise _refused(field, value, f"the least is {1 / MAX_FACTOR:g}", place)


def _refused(field: str, value: Any, reason: str, place: Path | str) -> CheckpointError:
    return CheckpointError(
        f"{field} is {str(value)[:60]!r}, which it can't be ({reason})",
        place=place,
        fix=f"Write what transformers' GenerationConfig takes for {field}, or remove it",
    )


def _of_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = next(
        (config[name] for name in _PARTS if isinstance(config.get(name), dict) and config[name]), {}
    )
    own = {name: value for name, value in config.items() if value is not None}
    return {**part, **own}


def _checked(form: type[BaseModel], said: Mapping[str, Any], place: Path | str) -> dict[str, Any]:
    """Those of the form's settings that are in force."""
    try:
        return _in_force(form.model_validate(said).model_dump(mode="json"))
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise _refused(field, said[field], first["msg"].lower(), place) from error


def _in_force(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in settings.items()
        if value is not None and value != [] and value != "" and value != _NEUTRAL.get(name)
    }


def _check_tokens(followed: Mapping[str, Any], rows: int | None, place: Path | str) -> None:
    """Refuse tokens to be forced, forbidden or favoured that the model doesn't have."""
    forced = followed.get("forced_eos_token_id", [])
    named = {
        "bad_words_ids": [token for word in followed.get("bad_words_ids", ()) for token in word],
        "sequence_bias": [token for tokens, _ in followed.get("sequence_bias", ()) for token in tokens],
        "forced_bos_token_id": [followed.get("forced_bos_token_id", 0)],
        "forced_eos_token_id": forced if isinstance(forced, list) else [forced],
    }
    for field, tokens in named.items():
        largest = max(tokens, default=0)
        if rows is not None and largest >= rows:
            raise CheckpointError(
                f"{field} names the token {largest:,}, but the embedding has only {rows:,} rows",
                place=place,
                fix=f"Take {FILE} and the weights from the same checkpoint",
            )
