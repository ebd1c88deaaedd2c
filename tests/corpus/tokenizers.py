"""Tokenizers that hang, grow without end, or don't fit the model, and chat templates that do."""

import json
from typing import Any

from tests.corpus.child import TRIAL_CPU_S
from tests.corpus.entry import Scene, entry

__all__: list[str] = []

FILE = "model/tokenizer.json"
CHAT = ("--apply-chat-template",)
TEMPLATE = "model/chat_template.jinja"


def _tokenizer(scene: Scene, **fields: Any) -> None:
    scene.edit("tokenizer.json", **fields)


def _with_pattern(scene: Scene, pattern: str) -> None:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True, "trim_offsets": True}
    _tokenizer(scene, pre_tokenizer={"type": "Sequence", "pretokenizers": [split, level]})


@entry("tokenizer", FILE, f"takes more than {TRIAL_CPU_S} seconds", "publisher")
def regex_bomb(scene: Scene) -> None:
    """A pattern whose time grows with the third power of a text's length."""
    _with_pattern(scene, "[ab]*[ac]*(?<=d)e?")


@entry("tokenizer", FILE, "PanicException", "retry-limit-in-match over", "publisher")
def regex_panic(scene: Scene) -> None:
    """A pattern whose time doubles with each letter, until the library panics, which is no `Exception`."""
    _with_pattern(scene, r"(?:(?:a|aa)+)+$(?<!x)")


@entry("tokenizer", FILE, "end pattern with unmatched parenthesis", "publisher")
def regex_malformed(scene: Scene) -> None:
    _with_pattern(scene, "(unclosed")


@entry("tokenizer", FILE, "for short texts", "publisher")
def normalizer_bomb(scene: Scene) -> None:
    """Forty replacements, each of which doubles the text."""
    double = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}
    _tokenizer(scene, normalizer={"type": "Sequence", "normalizers": [double] * 40})


@entry("tokenizer", FILE, "token id 4,000", "400 rows", "resize_token_embeddings")
def frame_beyond_the_embedding(scene: Scene) -> None:
    """A post-processor puts a token around every text, whatever the vocabulary says."""
    single = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    special = {"<s>": {"id": "<s>", "ids": [4000], "tokens": ["<s>"]}}
    pair = [{"Sequence": {"id": "B", "type_id": 0}}]
    frame = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}
    _tokenizer(scene, post_processor=frame)


@entry("tokenizer", FILE, "token id 400", "400 rows", "resize_token_embeddings")
def id_out_of_range(scene: Scene) -> None:
    tokenizer = json.loads((scene.model / "tokenizer.json").read_text("utf-8"))
    _tokenizer(scene, model={**tokenizer["model"], "vocab": {**tokenizer["model"]["vocab"], "more": 400}})


@entry("tokenizer", "model/tokenizer_config.json", "model_max_length is '1e999'", "leave it out")
def length_that_is_no_number(scene: Scene) -> None:
    scene.edit("tokenizer_config.json", model_max_length="1e999")


@entry("tokenizer", "model/generation_config.json", "bad_words_ids", "10000")
def words_without_end(scene: Scene) -> None:
    """Forty thousand words that a text may not hold."""
    settings = {"bad_words_ids": [[1 + n % 90, 2] for n in range(40_000)]}
    (scene.model / "generation_config.json").write_text(json.dumps(settings), "utf-8")


@entry("tokenizer", "acc", "foxes", "record: out/", exit_code=0)
def no_pad(scene: Scene) -> None:
    """Not an error: batches are padded with whatever token there is, and the padding changes no answer."""
    scene.edit("tokenizer_config.json", pad_token=None)


@entry("template", TEMPLATE, "memory", "publisher", more=CHAT)
def string_bomb(scene: Scene) -> None:
    (scene.model / "chat_template.jinja").write_text("{{ 'a' * 9999999999 }}")


@entry("template", TEMPLATE, "publisher", more=CHAT)
def loop_bomb(scene: Scene) -> None:
    loops = "".join(f"{{% for i{n} in range(99999) %}}" for n in range(4))
    (scene.model / "chat_template.jinja").write_text(loops + "{% endfor %}" * 4)


@entry("template", TEMPLATE, "unsafe", "publisher", more=CHAT)
def attribute_escape(scene: Scene) -> None:
    code = f"{{{{ cycler.__init__.__globals__.os.system('touch {scene.marker}') }}}}"
    (scene.model / "chat_template.jinja").write_text(code)


@entry("template", TEMPLATE, "syntax", "publisher", more=CHAT)
def template_syntax(scene: Scene) -> None:
    (scene.model / "chat_template.jinja").write_text("{% for message in messages %}")


@entry("template", "model/tokenizer_config.json", "memory", "publisher", more=CHAT)
def string_bomb_among_named_templates(scene: Scene) -> None:
    """One that no trial reads where it takes a mapping for no template."""
    scene.edit("tokenizer_config.json", chat_template={"default": "fine", "rag": "{{ 'a' * 9999999999 }}"})


@entry("template", f"chat template takes more than {TRIAL_CPU_S} seconds", "publisher", more=CHAT)
def template_that_knows_the_trial(scene: Scene) -> None:
    """It does as it should for the texts of the trial, and counts for ever for any other."""
    path = scene.model / "chat_template.jinja"
    known = "{% if '1,024 times' in messages[0].content %}" + path.read_text("utf-8") + "{% else %}"
    path.write_text(known + "{{ 10 ** (messages | length * 10 ** 9) }}{% endif %}")


@entry("template", "chat template fails", "TypeError: no loader", "publisher", more=CHAT)
def template_that_fails(scene: Scene) -> None:
    """Its process waits for another conversation when the command ends."""
    (scene.model / "chat_template.jinja").write_text("{% include '/etc/hostname' %}")


@entry("template", "chat template fails", "UnicodeEncodeError", "publisher", more=CHAT)
def template_with_half_a_character(scene: Scene) -> None:
    (scene.model / "chat_template.jinja").write_text("{{ '\\ud800' }}{{ messages[0].content }}")


@entry("template", "model", "has 60 chat templates; the limit is 50", more=CHAT)
def templates_without_end(scene: Scene) -> None:
    folder = scene.model / "additional_chat_templates"
    folder.mkdir()
    for number in range(59):
        (folder / f"{number}.jinja").write_text("{{ messages }}")


@entry("template", "acc", "foxes", "record: out/", more=CHAT, exit_code=0)
def template_of_the_moment(scene: Scene) -> None:
    """Not an error: a template may ask for the time and throw dice; all of a run is on one day, with one throw."""
    path = scene.model / "chat_template.jinja"
    path.write_text("{{ strftime_now('%c %f') }} {{ range(10 ** 4) | list | random }}\n" + path.read_text("utf-8"))
