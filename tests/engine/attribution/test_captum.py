"""Every kind of model's attributions are captum's own, computed one text at a time on the plain transformers model."""

import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, KernelShap, Occlusion, ShapleyValueSampling
from captum.metrics import infidelity, sensitivity_max

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.attributions import AttributionSettings
from harness.core.requests import Attribute
from harness.engine.attribution.explaining import _removals
from harness.engine.opening import loaded_model
from tests import tiny
from tests.engine.attribution.plain import AFTER, BEFORE, CHOICES, TEXT, WORDS, Plain

SETTINGS = AttributionSettings(
    seed=11, largest_gap=0.02, permutations=3, coalitions=24, removals=6, noises=2, noise_radius=0.05
)
METHODS = ("integrated_gradients", "gradient_x_input", "occlusion", "shapley_sampling", "kernel_shap")
BUILD = {
    "causal": tiny.build_tiny_checkpoint,
    "masked": tiny.build_tiny_masked,
    "seq2seq": tiny.build_tiny_seq2seq,
    "classifier": tiny.build_tiny_classifier,
}


@pytest.fixture(scope="module", params=BUILD)
def pair(request, tmp_path_factory):
    """The harness's attribution, and the plain model with the same decision."""
    folder = BUILD[request.param](tmp_path_factory.mktemp(request.param) / "model")
    loaded = load_model(resolve(str(folder)), dtype="float32", device="cpu")
    asked = Attribute(
        context=BEFORE + TEXT + AFTER,
        continuations=() if request.param == "classifier" else CHOICES,
        start=len(BEFORE),
        stop=len(BEFORE + TEXT),
        methods=METHODS,
        settings=SETTINGS,
    )
    model = loaded_model(loaded, batch_tokens=300)
    (response,) = model.answer(model.plan([asked])[0])
    assert response.invalid is None
    return response.attribution, Plain(
        request.param, loaded.model, loaded.tokenizer, decision=response.attribution.decision
    )


def of(attribution, name):
    return next(method for method in attribution.methods if method.name == name)


def seeded(compute):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SETTINGS.seed)
        return compute()


def same(found, expected):
    assert found == pytest.approx(expected[0].tolist(), abs=1e-5, rel=1e-5)


def test_decision_and_units(pair):
    attribution, plain = pair
    scores = plain.scores(BEFORE + TEXT + AFTER).detach()
    assert attribution.decision == int(scores.argmax())
    assert attribution.units == tuple(WORDS)
    assert attribution.probability == pytest.approx(float(torch.sigmoid(plain.log_odds(scores))), abs=1e-5)


def test_the_tokens_of_the_texts_asked_about_are_counted(pair):
    attribution, plain = pair
    # Each text asked about is read at least once, and the shortest has the words before and after what is explained.
    least = attribution.evaluation_count * len(plain.tokenizer(BEFORE + AFTER, add_special_tokens=False)["input_ids"])
    assert attribution.asked_token_count >= attribution.computed_token_count > 0
    assert attribution.asked_token_count >= least


@pytest.mark.parametrize(
    ("name", "method", "arguments"),
    [
        ("occlusion", Occlusion, {"sliding_window_shapes": (1,)}),
        ("shapley_sampling", ShapleyValueSampling, {"n_samples": SETTINGS.permutations}),
        ("kernel_shap", KernelShap, {"n_samples": SETTINGS.coalitions}),
    ],
)
def test_ablation_methods_are_captums_unbatched(pair, name, method, arguments):
    attribution, plain = pair
    units = torch.ones(1, len(WORDS))
    same(of(attribution, name).values, seeded(lambda: method(plain.of_kept).attribute(units, baselines=0, **arguments)))


def test_gradient_methods_are_captums_on_the_plain_model(pair):
    attribution, plain = pair
    path = IntegratedGradients(plain.of_embeddings).attribute(plain.embeddings, n_steps=50)
    expected = plain.by_word(path)[0]
    found = of(attribution, "integrated_gradients")
    # The gaps of all parts of the path together bound what the units are off by, so far as their signs agree.
    assert found.values == pytest.approx(expected.tolist(), abs=SETTINGS.largest_gap)
    assert found.completeness_gap <= SETTINGS.largest_gap
    with torch.no_grad():
        whole, empty = (
            float(plain.of_embeddings(one)) for one in (plain.embeddings, torch.zeros_like(plain.embeddings))
        )
    assert sum(found.values) == pytest.approx(whole - empty, abs=SETTINGS.largest_gap * max(abs(whole - empty), 1))
    slope = InputXGradient(plain.of_embeddings).attribute(plain.embeddings.requires_grad_())
    same(of(attribution, "gradient_x_input").values, plain.by_word(slope))


def test_infidelity_is_captums(pair):
    attribution, plain = pair
    removed = torch.from_numpy(_removals(len(WORDS), SETTINGS)).float()
    for name in METHODS:
        found = of(attribution, name)
        expected = infidelity(
            plain.of_kept,
            lambda kept: (removed, kept - removed),
            torch.ones(1, len(WORDS)),
            torch.tensor([found.values]),
            n_perturb_samples=len(removed),
            normalize=True,
        )
        assert found.infidelity == pytest.approx(float(expected), rel=1e-3, abs=1e-4)


def test_max_sensitivity_is_captums(pair):
    attribution, plain = pair
    given = plain.embeddings
    radius = SETTINGS.noise_radius * float(given.square().mean().sqrt())

    def explanation(embeddings):
        if isinstance(embeddings, tuple):
            return (explanation(embeddings[0]),)
        return plain.by_word(InputXGradient(plain.of_embeddings).attribute(embeddings.detach().requires_grad_()))

    expected = seeded(
        lambda: sensitivity_max(explanation, given, perturb_radius=radius, n_perturb_samples=SETTINGS.noises)
    )
    assert of(attribution, "gradient_x_input").max_sensitivity == pytest.approx(float(expected), rel=1e-4)
    assert of(attribution, "occlusion").max_sensitivity is None
