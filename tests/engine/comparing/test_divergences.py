from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config

from harness.checkpoints import resolve
from harness.core.models import ModelOptions, respond
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import Loglikelihood, Response
from harness.engine.comparing.divergences import divergences
from harness.engine.opening import open_model
from tests.suites.fidelity.children import cooled, plain_divergences, plain_logits, rounded
from tests.tasks.memoriser import texts
from tests.tiny import TEXT, build_tiny_checkpoint

TEXTS = [*TEXT, *texts(4, seed=5, words=20), "a"]


@pytest.fixture(scope="module")
def child(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rounded(tiny_llama, tmp_path_factory.mktemp("rounded"))


def answers(child: Path, parent: Path, asked: Sequence[str], *, batch_tokens: int = 256) -> dict[str, Response]:
    options = ModelOptions(dtype="float32", batch_tokens=batch_tokens, reference=resolve(str(parent)))
    model = open_model(resolve(str(child)), options)
    requests = {text: Divergence(text=text, reference="r", max_tokens=100) for text in asked}
    by_id = {request.id: text for text, request in requests.items()}
    return {by_id[one.request_id]: one for one in respond(model, list(requests.values()))}


def test_a_model_is_at_no_distance_from_itself(tiny_llama: Path) -> None:
    for found in answers(tiny_llama, tiny_llama, TEXTS).values():
        assert found.token_divergences is not None
        assert max(found.token_divergences) <= 1e-9
        assert all(found.token_agrees or ())
        assert found.token_loglikelihoods == found.token_reference_loglikelihoods


@pytest.mark.parametrize("batch_tokens", [32, 4096])
def test_each_token_is_as_far_away_as_a_plain_loop_says_whatever_the_batch(
    tiny_llama: Path, child: Path, batch_tokens: int
) -> None:
    found = answers(child, tiny_llama, TEXTS, batch_tokens=batch_tokens)
    for text in TEXTS:
        (own, tokens), (other, _) = (plain_logits(folder, text, most=100) for folder in (child, tiny_llama))
        answer, chosen = found[text], torch.tensor(tokens)[:, None]
        assert answer.token_divergences == pytest.approx(plain_divergences(child, tiny_llama, text, most=100), abs=1e-4)
        for given, logits in (
            (answer.token_loglikelihoods, own),
            (answer.token_reference_loglikelihoods, other),
        ):
            expected = logits.log_softmax(dim=-1).gather(-1, chosen).squeeze(-1).tolist()
            assert given == pytest.approx(expected, abs=1e-3)
        assert answer.token_agrees == tuple((own.argmax(-1) == other.argmax(-1)).tolist())
        assert answer.token_ends is not None
        assert list(answer.token_ends) == sorted(answer.token_ends)


def test_a_copy_with_another_temperature_is_as_far_away_as_by_hand(tiny_llama: Path, tmp_path: Path) -> None:
    factor, text = 0.5, TEXT[1]
    found = answers(cooled(tiny_llama, tmp_path, factor), tiny_llama, [text])[text]
    logits, _ = plain_logits(tiny_llama, text, most=100)
    # With p = softmax(z) and q = softmax(f z): the sum of p (z - f z), plus log-sum-exp of f z, less that of z.
    shares = logits.softmax(dim=-1)
    by_hand = (shares * logits * (1 - factor)).sum(-1) + (factor * logits).logsumexp(-1) - logits.logsumexp(-1)
    assert found.token_divergences == pytest.approx(by_hand.tolist(), abs=1e-4)
    assert all(found.token_agrees or ())


def test_another_architecture_with_spare_rows_in_its_vocabulary_is_compared_over_what_both_have(
    tiny_llama: Path, tmp_path: Path
) -> None:
    config = GPT2Config(vocab_size=407, n_positions=64, n_embd=32, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2)
    other = build_tiny_checkpoint(tmp_path, config=config)
    found = answers(other, tiny_llama, TEXTS)
    for text in TEXTS:
        expected = plain_divergences(other, tiny_llama, text, most=64)  # no farther than the smaller window
        assert found[text].token_divergences == pytest.approx(expected, abs=1e-4)


def test_the_reference_answers_as_it_does_by_itself(tiny_llama: Path, child: Path) -> None:
    asked = [Loglikelihood(context=TEXT[0], continuation=f" {word}") for word in ("fox", "dog", "river")]
    referred = [
        ReferenceLoglikelihood(context=one.context, continuation=one.continuation, reference="r") for one in asked
    ]
    options = ModelOptions(dtype="float32", reference=resolve(str(tiny_llama)))
    both = {one.request_id: one for one in respond(open_model(resolve(str(child)), options), [*asked, *referred])}
    for folder, requests in ((child, asked), (tiny_llama, referred)):
        alone = open_model(resolve(str(folder)), ModelOptions(dtype="float32"))
        expected = {one.request_id: one.loglikelihood for one in respond(alone, asked)}
        for request, plain in zip(requests, asked, strict=True):
            assert both[request.id].loglikelihood == pytest.approx(expected[plain.id], abs=1e-4)


def test_what_a_model_rules_out_adds_nothing_where_the_reference_does_too() -> None:
    logits = torch.tensor([[0.0, 1.0, -torch.inf], [0.0, 1.0, 2.0]])
    reference = torch.tensor([[0.0, 1.0, -torch.inf], [0.0, 1.0, -torch.inf]])
    found = divergences(logits, reference, torch.tensor([0, 1]))
    shares = reference[1].softmax(-1)[:2]
    expected = float((shares * (shares.log() - logits[1].log_softmax(-1)[:2])).sum())
    assert found.divergences.tolist() == pytest.approx([0.0, expected])


def test_a_text_without_a_token_is_invalid(tiny_llama: Path) -> None:
    assert answers(tiny_llama, tiny_llama, ["", "a"])[""].invalid == "the text has no token"
