"""Chat templates where they run: as transformers renders them, on one day, within bounds."""

from datetime import datetime
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from harness.core.errors import ModelError
from harness.engine.rendering import Renderer
from tests.tiny import CHAT_TEMPLATE

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where to?"}]
BEGUN = [*ASKED, {"role": "assistant", "content": "To the river"}]
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('none') }}{% endif %}" + CHAT_TEMPLATE
BOMBS = {
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "one long step": "{{ 10 ** (messages | length * 10 ** 9) }}",
    "one long text": "{{ 'a' * 9999999999 }}",
    "long output": "{{ 'a' * 3000000 }}",
    "only in earnest": "{% if 'river' in messages[-1].content %}{{ 9 ** (messages | length * 10 ** 9) }}{% endif %}",
    "names of the machine": "{{ ''.__class__.__mro__ }}",
    "no text of the day": "{{ strftime_now(1) }}",
}


@pytest.fixture(scope="module")
def tokenizer(tiny_llama: Path):
    return AutoTokenizer.from_pretrained(tiny_llama)


def rendered(tokenizer, template: str, messages, **options):
    tokenizer.chat_template = template
    return Renderer(tokenizer, **options)(messages, goes_on=messages[-1]["role"] == "assistant")


@pytest.mark.parametrize("messages", [ASKED, BEGUN])
def test_a_template_gives_what_transformers_gives(tokenizer, messages):
    goes_on = messages is BEGUN
    text, is_whole = rendered(tokenizer, CHAT_TEMPLATE, messages)
    options = {"add_generation_prompt": not goes_on, "continue_final_message": goes_on}
    assert (text, is_whole) == (tokenizer.apply_chat_template(messages, tokenize=False, **options), True)


def test_a_template_that_takes_no_system_turn_is_given_none(tokenizer):
    text, is_whole = rendered(tokenizer, NO_SYSTEM, ASKED)
    assert not is_whole
    assert text == rendered(tokenizer, CHAT_TEMPLATE, ASKED[1:])[0]


def test_it_is_one_day_and_dice_fall_the_same(tokenizer):
    day = "{{ strftime_now('%d %b %Y %H:%M:%S.%f') }}"
    told = datetime(2031, 2, 3).strftime("%d %b %Y %H:%M:%S.%f")
    assert rendered(tokenizer, day, ASKED, today="2031-02-03") == (told, True)
    dice = "{% for _ in range(20) %}{{ range(1000) | list | random }} {% endfor %}{{ lipsum() }}"
    assert rendered(tokenizer, dice, ASKED) == rendered(tokenizer, dice, ASKED)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_template_that_takes_too_much_is_ended_and_the_next_conversation_rendered(tokenizer, bomb, monkeypatch):
    monkeypatch.setattr("harness.engine.rendering.CPU_S", 0.1)
    monkeypatch.setattr("harness.engine.rendering.WAITED", 300)
    tokenizer.chat_template = f"{{% if messages | length > 2 %}}{BOMBS[bomb]}{{% else %}}fine{{% endif %}}"
    render = Renderer(tokenizer)
    with pytest.raises(ModelError, match=r"chat template (takes more than|makes|fails)"):
        render(BEGUN, goes_on=True)
    assert render(ASKED, goes_on=False) == ("fine", True)
