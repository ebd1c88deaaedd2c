"""Tokenizers and chat templates that take too much are refused by name; sound ones pass."""

import json
import os
from pathlib import Path

import psutil
import pytest

from harness.checkpoints import chat_templates, refuse_template, resolve
from harness.checkpoints.loading import confined, memory, trial
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import CheckpointError
from tests.checkpoints.conftest import Edit
from tests.tiny import CHAT_TEMPLATE, build_tiny_checkpoint, tiny_llama_config

BOMB = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
DOUBLE = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of a second."""
    monkeypatch.setattr(confined, "CPU_S", 1)
    monkeypatch.setattr(chat_templates, "CPU_S", 1)


def refusal(folder: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        resolve(str(folder))
    assert caught.value.place == str(folder / "tokenizer.json")
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_tokenizer_that_takes_too_long_is_refused(folder: Path, edit: Edit, hurried: None) -> None:
    edit("tokenizer.json", normalizer={"type": "Sequence", "normalizers": [DOUBLE] * 60})
    assert "more than 1 seconds" in refusal(folder).problem


def test_a_tokenizer_that_takes_too_much_memory_is_refused(
    folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "MEMORY_BYTES", 300_000_000)
    grown = [{**DOUBLE, "content": "e" * 1000}] * 3
    edit("tokenizer.json", normalizer={"type": "Sequence", "normalizers": grown})
    assert "GB of memory" in refusal(folder).problem


def test_a_tokenizer_that_waits_is_refused_by_the_clock(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "WAITED", 0.000001)
    confined._sound.clear()
    assert "seconds for short texts" in refusal(folder).problem


def test_a_trial_that_ends_without_a_word_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "crashing.py"
    crashing.write_text("import os, sys; print('out of luck', file=sys.stderr, flush=True); os.abort()")
    monkeypatch.setattr(trial, "__file__", str(crashing))
    confined._sound.clear()
    assert "ends the process that reads it (out of luck)" in refusal(folder).problem


def test_a_tokenizer_that_makes_thousands_of_tokens_of_a_letter_is_refused(folder: Path, edit: Edit) -> None:
    edit("tokenizer.json", normalizer={**DOUBLE, "content": "e!" * 2000})
    told = trial._try_tokenizer(str(folder / "tokenizer.json"))
    assert "the limit is 100 for each" in str(told)
    assert refusal(folder).problem == told


def test_a_sound_tokenizer_passes(tiny_llama: Path) -> None:
    assert trial._try_tokenizer(str(tiny_llama / "tokenizer.json")) is None


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (CHAT_TEMPLATE, None),
        ("{% generation %}{{ messages | tojson }}{{ strftime_now('%Y') }}{% endgeneration %}", None),
        ("{% for m in messages %}{% break %}{% endfor %}{{ bos_token }}", None),
        ("{{ raise_exception('no system role') }}", None),
        ("{{ 1 / 0 }}", None),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.append(1) }}", "unsafe"),
        ("\n{% if %}", "syntax error in line 2"),
        ("{{ 'a' * 2000000 }}", "the limit is 1,048,576"),
        ("{% if messages[0]['role'] == 'system' %}{{ 'a' * 2000000 }}{% endif %}", "the limit is 1,048,576"),
        ("{% if messages | length > 2 %}{{ ''.__class__.__mro__ }}{% endif %}", "unsafe"),
    ],
)
def test_a_template_is_judged_by_what_it_does(template: str, says: str | None) -> None:
    told = trial._try_templates([template])
    assert told is None if says is None else says in str(told)


def test_every_template_of_a_checkpoint_is_tried(folder: Path, edit: Edit, hurried: None) -> None:
    refuse_template(resolve(str(folder)))
    places = {
        "chat_template.jinja": "{{ ''.__class__.__mro__ }}",
        "chat_template.json": json.dumps({"chat_template": [{"name": "default", "template": BOMB}]}),
        "additional_chat_templates/tools.jinja": "{% endif %}",
        "tokenizer_config.json": json.dumps({"chat_template": "{{ ''.__class__.__mro__ }}"}),
    }
    (folder / "additional_chat_templates").mkdir()
    for name, content in places.items():
        sound = (folder / name).read_text() if (folder / name).exists() else None
        (folder / name).write_text(content)
        with pytest.raises(CheckpointError) as caught:
            refuse_template(resolve(str(folder)))
        assert caught.value.place == str(folder.resolve() / name)
        assert "--apply-chat-template" in str(caught.value.fix)
        (folder / name).unlink()
        if sound is not None:
            (folder / name).write_text(sound)


def test_a_template_of_megabytes_is_refused(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(" " * ((1 << 20) + 1))
    with pytest.raises(CheckpointError, match="is larger than"):
        refuse_template(resolve(str(folder)))


def test_weights_without_room_are_refused_before_they_are_loaded(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = resolve(str(tiny_llama))
    container = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CONTAINER", container)
    assert memory.memory_bytes() == psutil.virtual_memory().total
    container.write_text("max\n")
    assert memory.memory_bytes() == psutil.virtual_memory().total
    container.write_text("150000\n")
    assert checkpoint.parameter_count is not None
    assert 2 * checkpoint.parameter_count < 150_000 < 4 * checkpoint.parameter_count
    with pytest.raises(CheckpointError, match="GB in float32"):
        load_model(checkpoint, dtype="float32", device="cpu")
    assert load_model(checkpoint, dtype="bfloat16", device="cpu").model is not None


def test_what_was_tried_once_is_tried_again_where_more_than_its_weights_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forks, fork = [], os.fork

    def counted() -> int:
        forks.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    seen = []
    for seed, window in ((0, 250), (1, 250), (0, 251)):
        folder = build_tiny_checkpoint(
            tmp_path / f"{seed} {window}", seed=seed, config=tiny_llama_config(max_position_embeddings=window)
        )
        forks.clear()
        load_model(resolve(str(folder)), dtype="float32", device="cpu")
        seen.append(len(forks))
    assert seen == [2, 0, 2]
