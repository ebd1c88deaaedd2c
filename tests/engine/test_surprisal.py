from pathlib import Path

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.models import respond
from harness.core.requests import LoglikelihoodRolling, TokenLoglikelihoods
from harness.engine.kinds.causal import CausalModel
from harness.engine.surprisal import surprisals
from tests.tasks.memoriser import PlainModel, texts

LENGTHS = (512, 5, 60, 512, 1, 30, 44)
ASKED = [
    TokenLoglikelihoods(text=text, max_tokens=length)
    for text, length in zip(texts(len(LENGTHS), seed=3, words=14), LENGTHS, strict=True)
]


@pytest.mark.parametrize("batch_tokens", [16, 64, 4096])
def test_the_engine_says_of_each_token_what_plain_passes_say_whatever_the_batch(
    tiny_llama: Path, batch_tokens: int
) -> None:
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu", trust_remote_code=False)
    model = CausalModel(loaded, batch_tokens=batch_tokens)
    found = {answer.request_id: answer for answer in respond(model, ASKED)}
    plain = PlainModel(loaded.model, loaded.tokenizer)
    for request in ASKED:
        (expected,) = plain.answer(plain.plan([request])[0])
        assert found[request.id].token_loglikelihoods == pytest.approx(expected.token_loglikelihoods, abs=1e-4)
        assert found[request.id].token_z_scores == pytest.approx(expected.token_z_scores, abs=1e-3)
        assert found[request.id].token_is_greedy == expected.token_is_greedy
    (rolling,) = respond(model, [LoglikelihoodRolling(text=ASKED[0].text)])
    assert found[ASKED[0].id].loglikelihood == pytest.approx(rolling.loglikelihood, abs=1e-3)


def test_a_text_without_a_token_is_invalid(tiny_llama: Path) -> None:
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu", trust_remote_code=False)
    (answer,) = respond(CausalModel(loaded, batch_tokens=64), [TokenLoglikelihoods(text="")])
    assert answer.invalid is not None


def test_where_all_words_are_equally_likely_or_one_is_certain_the_z_score_is_0() -> None:
    flat, certain = torch.zeros(8), torch.full((8,), -torch.inf)
    certain[3] = 0.0
    found = surprisals(torch.stack([flat, certain]), torch.tensor([1, 3]))
    assert found.z_scores.tolist() == [0.0, 0.0]
    assert found.is_greedy.tolist()[1]
