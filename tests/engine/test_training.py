"""Adapters that are fitted before a question, against a plain loop with peft; and the model that is as it was."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.checkpoints import resolve
from harness.core.models import Model, ModelOptions, respond
from harness.core.requests import Loglikelihood, Response
from harness.core.training.lessons import Lessons, LoraRecipe, taught_in
from harness.core.training.requests import TunedLoglikelihood
from harness.engine.opening import open_model

ROWS = (("The sky is", " green"), ("The quick fox", " laughed"), ("Water in the", " river bank"), ("中文也", "要能"))
ASKED = [Loglikelihood(context="The sky is", continuation=word) for word in (" green", " blue", " over")]
LESSONS = Lessons(task="t", seed=3, rows=ROWS, recipe=LoraRecipe(epochs=3, rows_per_step=3, learning_rate=0.01))


def opened(folder: Path, batch_tokens: int = 512, **options: Any) -> Model:
    return open_model(resolve(str(folder)), ModelOptions(dtype="float32", batch_tokens=batch_tokens, **options))


def tuned(lessons: Lessons, asked: Sequence[Loglikelihood] = ASKED) -> list[TunedLoglikelihood]:
    return [TunedLoglikelihood(context=one.context, continuation=one.continuation, lessons=lessons) for one in asked]


def answers(model: Model, requests: Sequence[Loglikelihood]) -> list[Response]:
    found = {one.request_id: one for one in respond(model, requests)}
    return [found[one.id] for one in requests]


def nats(model: Model, requests: Sequence[Loglikelihood]) -> list[float]:
    return [one.loglikelihood for one in answers(model, requests) if one.loglikelihood is not None]


def in_a_plain_loop(folder: Path, lessons: Lessons) -> list[float]:
    """What transformers and peft make of the recipe, as its description has it."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    recipe = lessons.recipe
    torch.manual_seed(lessons.start)
    config = peft.LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(model, config).eval()
    rows = [
        (tokenizer(prompt)["input_ids"], tokenizer(prompt + answer)["input_ids"]) for prompt, answer in lessons.rows
    ]
    rng, count = Random(lessons.start), recipe.step_count(len(rows))
    optimiser = torch.optim.AdamW([one for one in adapted.parameters() if one.requires_grad], weight_decay=0.0)
    step = 0
    for _ in range(recipe.epochs):
        order = rng.sample(rows, len(rows))
        for at in range(0, len(rows), recipe.rows_per_step):
            losses = [_losses(adapted, *row) for row in order[at : at + recipe.rows_per_step]]
            torch.cat(losses).mean().backward()
            torch.nn.utils.clip_grad_norm_(adapted.parameters(), recipe.largest_norm)
            optimiser.param_groups[0]["lr"] = recipe.learning_rate * (1 - step / count)
            optimiser.step()
            optimiser.zero_grad()
            step += 1
    asked = [
        (tokenizer(one.context)["input_ids"], tokenizer(one.context + one.continuation)["input_ids"]) for one in ASKED
    ]
    return [-float(_losses(adapted, *one).sum().detach()) for one in asked]


def _losses(model: Any, prompt: list[int], whole: list[int]) -> torch.Tensor:
    logits = model(torch.tensor([whole])).logits[0, len(prompt) - 1 : -1]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(whole[len(prompt) :]), reduction="none")


def test_an_adapter_is_that_of_a_plain_loop(tiny_llama: Path) -> None:
    found = nats(opened(tiny_llama), tuned(LESSONS))
    assert found == pytest.approx(in_a_plain_loop(tiny_llama, LESSONS), abs=1e-3)


def test_it_learns_its_rows_and_leaves_the_model_as_it_was(tiny_llama: Path) -> None:
    model = opened(tiny_llama)
    before = nats(model, ASKED)
    few, many = (
        nats(
            model, tuned(Lessons(task="t", seed=0, rows=ROWS[:1], recipe=LoraRecipe(epochs=epochs, learning_rate=0.01)))
        )
        for epochs in (4, 30)
    )
    assert before[0] < few[0] < many[0]
    assert many[0] > before[0] + 10
    assert nats(model, ASKED) == before


def test_the_same_lessons_give_the_same_bytes_whatever_else_is_asked(tiny_llama: Path) -> None:
    other = Lessons(task="t", seed=3, rows=ROWS[:2], recipe=LESSONS.recipe)
    model = opened(tiny_llama)
    alone = nats(model, tuned(LESSONS))
    together = nats(model, [*ASKED, *tuned(other), *tuned(LESSONS)])
    assert together[-3:] == alone
    assert together[3:6] != alone
    assert together[:3] == nats(model, ASKED)
    assert nats(opened(tiny_llama, batch_tokens=8), tuned(LESSONS)) == pytest.approx(alone, abs=1e-4)


def test_another_seed_or_task_begins_elsewhere(tiny_llama: Path) -> None:
    model = opened(tiny_llama)
    first, *others = (
        nats(model, tuned(Lessons(task=task, seed=seed, rows=ROWS, recipe=LESSONS.recipe)))
        for task, seed in (("t", 3), ("t", 4), ("u", 3))
    )
    assert all(one != first for one in others)


def test_in_a_chat_rows_are_turns_as_the_questions_are(tiny_llama: Path) -> None:
    lessons = Lessons(
        task="t", seed=0, rows=(("The sky is", " green"),), recipe=LoraRecipe(epochs=20, learning_rate=0.01)
    )
    model = opened(tiny_llama, apply_chat_template=True)
    before, after = nats(model, ASKED), nats(model, tuned(lessons))
    assert after[0] > before[0] + 5
    assert after[0] == max(after)


def test_training_without_finite_numbers_gives_no_answer(tiny_llama: Path) -> None:
    wild = Lessons(task="t", seed=0, rows=ROWS, recipe=LoraRecipe(epochs=30, learning_rate=1e30))
    model = opened(tiny_llama)
    before = nats(model, ASKED)
    assert {one.invalid for one in answers(model, tuned(wild))} == {"training it gives numbers that aren't finite"}
    assert nats(model, ASKED) == before


def test_windows_of_training_tell_their_task_and_rows() -> None:
    assert taught_in(LESSONS.stage) == ("t", 4)
    assert [taught_in(one) for one in (None, "prefill", "train", "train x t", "train 4 ")] == [None] * 5
