"""Language codes of models that translate between many languages (M2M-100, NLLB, mBART)."""

from typing import Any

from rapidfuzz import process
from transformers import GenerationConfig

from harness.checkpoints.loading.load import LoadedCheckpoint
from harness.core.errors import InputError
from harness.engine.encoding import Tokens

__all__ = ["Languages"]

_SHOWN = 5


class Languages:
    """The languages that one loaded checkpoint reads and writes.

    The tokenizer is set to the source language, its own default where the user names none. Raises `InputError` for a
    code that the tokenizer doesn't know, one for a tokenizer that has no languages, and a missing target language.
    """

    def __init__(self, loaded: LoadedCheckpoint) -> None:
        self._model, self._tokenizer = loaded.model, loaded.tokenizer
        self._followed = loaded.checkpoint.generation.followed
        source, target = loaded.checkpoint.source_language, loaded.checkpoint.target_language
        self._codes = _codes(loaded.tokenizer)
        if not self._codes:
            for option, code in (("source", source), ("target", target)):
                if code is not None:
                    raise InputError(
                        "the checkpoint's tokenizer has no language codes",
                        place=f"--{option}-language {code}",
                        fix="Leave it out",
                    )
        elif target is None:
            raise InputError(
                f"translates between {len(self._codes)} languages, and the one to write isn't named",
                place=loaded.checkpoint.ref,
                fix=f"Name both: --source-language {_example(self._codes, 0)} --target-language "
                f"{_example(self._codes, 1)}",
            )
        self._target = None if target is None else self._id("target", target)
        if source is not None:
            self._id("source", source)
            self._tokenizer.src_lang = source

    def prefix(self, start: int) -> Tokens:
        """What the decoder is given before a continuation: its first token, and the target language's, if any."""
        if self._target is None:
            return (start,)
        return (self._target,) if self._starts_with_language else (start, self._target)

    def generation_settings(self, start: int) -> GenerationConfig:
        """Those of the checkpoint's settings that are followed, set to write the target language.

        Stop strings are left to the caller, whose tokenizer transformers would need for them.
        """
        own = self._model.generation_config
        tokens = {name: getattr(own, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
        followed = {name: value for name, value in self._followed.items() if name != "stop_strings"}
        settings = GenerationConfig(**{**tokens, **followed}, decoder_start_token_id=start)
        if self._target is not None and self._starts_with_language:
            settings.decoder_start_token_id, settings.forced_bos_token_id = self._target, None
        elif self._target is not None:
            settings.forced_bos_token_id = self._target
        return settings

    @property
    def _starts_with_language(self) -> bool:
        """Whether the decoder begins with the language itself, as the first mBART's does and no later model's."""
        return type(self._tokenizer).__name__.startswith("MBartTokenizer")

    def _id(self, option: str, code: str) -> int:
        if code in self._codes:
            return self._codes[code]
        near = [match for match, score, _ in process.extract(code, list(self._codes), limit=3) if score >= 50]
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(list(self._codes)[:_SHOWN])}, ..."
        raise InputError(
            f"the tokenizer has no such language among its {len(self._codes)}; {hint}",
            place=f"--{option}-language {code}",
        )


def _codes(tokenizer: Any) -> dict[str, int]:
    """Token ids by language code; none for a tokenizer without languages."""
    if not hasattr(tokenizer, "src_lang"):
        return {}
    listed = getattr(tokenizer, "lang_code_to_id", None)
    if not listed:
        names = getattr(tokenizer, "extra_special_tokens", None) or tokenizer.all_special_tokens
        listed = {name: tokenizer.convert_tokens_to_ids(name) for name in names if "_" in name and name.isidentifier()}
    return {str(code): int(number) for code, number in listed.items() if number is not None}


def _example(codes: dict[str, int], place: int) -> str:
    usual = [code for code in ("eng_Latn", "fra_Latn", "en_XX", "fr_XX", "en", "fr") if code in codes]
    return (usual if len(usual) > place else list(codes))[min(place, len(codes) - 1)]
