"""Thoughts are told from answers, and every text says how it ended: in tokens as in texts, of models and of servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from harness.checkpoints import resolve
from harness.checkpoints.chat_templates import thinking_switch
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import GenerateUntil
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.seq2seq import Seq2SeqModel
from harness.engine.writing.stops import StopSpelling
from harness.engine.writing.thoughts import answer_start, opened_by
from tests import tiny

HARMONY = "<|channel|>analysis<|message|>so\n<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.fixture(scope="module")
def spelled(tmp_path_factory):
    folder = tiny.build_tiny_checkpoint(tmp_path_factory.mktemp("spelled"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer, StopSpelling(tokenizer)


@pytest.mark.parametrize(
    ("written", "opened", "answer"),
    [
        ("<think>so\nit is</think>\n\n42\nmore", None, "42"),
        ("so\nit is</think>\n\n42\nmore", "<think>", "42"),
        ("so\nit is</think>\n\n42\nmore", None, "42"),
        ("[THINK]so[/THINK]42", None, "42"),
        ("◁think▷so◁/think▷42", None, "42"),
        (HARMONY + "42", None, "42"),
        (HARMONY.removeprefix("<|channel|>analysis<|message|>") + "42", "<|channel|>analysis<|message|>", "42"),
        ("<think>so\n</think><think>or so</think>42", None, "42"),
        ("the tag <think> is none", None, "the tag <think> is none"),
        ("42\nmore", None, "42"),
        ("a</think> 是的。", "<think>", "是的。"),
        ("so</thought>\n\n42", None, "42"),
        (HARMONY.replace("final<", "final <|constrain|>json<") + "42", None, "42"),
        ("<think>so\nit is", None, None),
        ("so\nit is", "<think>", None),
        ("<think>so </thinking>\n42", None, None),
    ],
)
def test_the_answer_is_what_stands_behind_the_thoughts(spelled, written, opened, answer):
    tokenizer, spelling = spelled
    tokens = tokenizer.encode(written, add_special_tokens=False)
    assert tokenizer.decode(tokens) == written
    reply = spelling.reply(tokens, ("\n",), "end", opened)
    assert reply.get("text") == answer
    thinks = answer != written.split("\n")[0]
    assert reply.get("raw_text") == (written if thinks else None)
    assert (reply.get("thinking_token_count", 0) > 0) == thinks
    assert ("invalid" in reply) == (answer is None)
    if thinks and opened is None and not written.lstrip().startswith(("<", "[", "◁")):
        return  # that these were thoughts is known behind them only
    # A line break ends an answer, and no thought.
    stopped = [end for end in range(1, len(tokens) + 1) if spelling.just_stopped(tokens[:end], ("\n",), opened)]
    assert bool(stopped) == ("\nmore" in written)
    assert all(answer in tokenizer.decode(tokens[:end]) for end in stopped[:1])


@given(st.text(alphabet="ab \n</think>", max_size=30), st.text(alphabet="ab \n", max_size=10))
def test_an_opened_thought_ends_at_its_own_marker(thought, answer):
    if "</think>" not in thought and "<think>" not in thought:
        whole = f"{thought}</think>{answer}"
        assert whole[answer_start(whole, "<think>") :] == answer.lstrip()
        assert answer_start(thought, "<think>") is None


@pytest.mark.parametrize(
    ("prompt", "marker"),
    [
        ("<|assistant|>\n<think>\n", "<think>"),
        ("<|assistant|>\n<think>\n\n</think>\n\n", None),
        ("say <think> now", None),
        ("[THINK]", "[THINK]"),
    ],
)
def test_a_prompt_that_opens_thoughts_is_known(prompt, marker, spelled):
    tokenizer, spelling = spelled
    assert opened_by(prompt) == marker
    assert spelling.opened_by(tokenizer.encode("a long story. " * 9 + prompt, add_special_tokens=False)) == marker


@pytest.mark.parametrize("kind", ["causal", "seq2seq"])
def test_every_text_says_how_it_ended(tmp_path, kind):
    """Held against what the same model writes when nothing stops it but its end-of-text token, or the limit."""
    make = CausalModel if kind == "causal" else Seq2SeqModel
    (tiny.build_tiny_checkpoint if kind == "causal" else tiny.build_tiny_seq2seq)(tmp_path)
    loaded = load_model(resolve(str(tmp_path)), dtype="float32", device="cpu")
    model = make(loaded, batch_tokens=4000)
    contexts = [f"The fox number {number} jumps" for number in range(12)]

    def write(**settings):
        asked = [GenerateUntil(context=context, temperature=1.0, seed=3, **settings) for context in contexts]
        found = {one.request_id: one for one in respond(model, asked)}
        return [found[one.id] for one in asked]

    for one in write(max_tokens=90):
        assert one.stop == ("length" if one.token_count == 90 else "end")
        assert one.is_cut == (one.stop == "length")
    for one in write(max_tokens=90, until=("e",)):
        stopped = "e" in loaded.tokenizer.decode(list(one.token_ids))
        assert one.stop == ("stop string" if stopped else "length" if one.token_count == 90 else "end")
    assert {one.stop for one in write(max_tokens=90, until=("e",))} >= {"stop string"}
    assert {one.stop for one in write(max_tokens=2)} <= {"end", "length"}


@pytest.mark.parametrize(
    ("template", "switch"),
    [
        (
            "{%- if enable_thinking is defined and enable_thinking is false %}<think></think>{% endif %}",
            "enable_thinking",
        ),
        ("{% if not thinking is defined %}{% set thinking = false %}{% endif %}{{ thinking }}", "thinking"),
        ("{% for m in messages %}{{ m.thinking }}{{ m['thinking'] }}{% endfor %} thinking enable_thinking", None),
        ("{# enable_thinking #}{{ messages[0].content }}", None),
    ],
)
def test_the_switch_is_a_variable_of_the_template(tmp_path, template, switch):
    folder = tiny.build_tiny_checkpoint(tmp_path)
    (folder / "chat_template.jinja").write_text(template)
    assert thinking_switch(resolve(str(folder))) == switch
