import json
from collections import Counter
from pathlib import Path

import pytest

from harness.core import registry
from harness.core.errors import HarnessError, TaskError
from harness.core.references.requests import Divergence, ReferenceLoglikelihood
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Estimate
from harness.core.tasks import Row
from harness.engine.kinds.scripted import ScriptedModel
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.rerun import rerun
from harness.suitefiles.selection import rebuilt
from harness.tasks.rolling import RollingPerplexity
from suites.fidelity.choices import FlipTask
from suites.fidelity.texts import DivergenceTask
from suites.fidelity.wrapper import fidelity
from suites.perplexity.rarity import strata_of_words
from tests.cli.conftest import TEXTS, write_suite
from tests.suites.fidelity.children import plain_divergences, plain_logits, rounded
from tests.suites.scripts import scores_of, value_of
from tests.suites.tasks.test_calibration_task import SUMS, Sums
from tests.tasks.test_classification import Weather
from tests.tiny import build_tiny_checkpoint, build_tiny_classifier, build_tiny_tokenizer

COMPARED = "  - {name: 'fidelity:foxes'}\n  - {name: 'fidelity:minutes'}\n"


class Letters(RollingPerplexity):
    """Texts."""

    name = "letters"

    def text(self, row: Row) -> str:
        return str(row["text"])


def apart(request: Request) -> Response:
    """Two nats apart at the first token of four and at no other; the model is better by one nat at the last."""
    assert isinstance(request, Divergence)
    return Response(
        request_id=request.id,
        token_divergences=(2.0, 0.0, 0.0, 0.0),
        token_loglikelihoods=(-1.0, -1.0, -1.0, -1.0),
        token_reference_loglikelihoods=(-1.0, -1.0, -1.0, -2.0),
        token_agrees=(False, True, True, True),
        token_ends=(3, 7, 11, 15),
    )


def test_texts_are_summed_over_tokens_and_over_their_strata() -> None:
    task = DivergenceTask(Letters())
    found = scores_of(task, ScriptedModel(apart), [{"text": "one two two ..."}, {"text": "two two two ..."}])
    values = {metric.name: value_of(task, metric.name, found) for metric in task.metrics if metric.name != "kl_p99"}
    assert value_of(task, "kl_divergence", found, part="whole") == pytest.approx(0.5)
    assert values["top1_agreement"] == pytest.approx(0.75)
    assert values["perplexity_ratio"] == pytest.approx(2.718281828 ** (-0.25))
    assert value_of(task, "kl_p99", found) == pytest.approx(2.0)  # 2 of 8 tokens
    assert value_of(task, "kl_divergence", found, position="1-16") == pytest.approx(0.5)
    assert value_of(task, "kl_divergence", found, rarity="no word") == 0.0
    assert value_of(task, "kl_divergence", found, rarity="1000 per million and more") == pytest.approx(4 / 6)


def test_a_word_is_as_rare_as_its_count_among_all_words() -> None:
    counts = Counter({"the": 999_975, "rare": 5, "seldom": 20})
    assert strata_of_words("The rare, seldom -", counts.__getitem__) == [
        (3, "1000 per million and more"),
        (9, "0-10 per million"),
        (16, "10-100 per million"),
        (18, "no word"),
    ]
    assert strata_of_words("unseen", counts.__getitem__) == [(6, "0-10 per million")]


def test_flips_are_counted_apart_by_what_the_reference_says() -> None:
    """Of 40 sums the reference gets the first 20 right; the model gets 5 of them wrong, and 2 of the others right."""

    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        n, said = int(request.context.split()[0]), int(request.continuation)
        right = n < 20 if isinstance(request, ReferenceLoglikelihood) else 5 <= n < 22
        chosen = n + 1 if right else n
        return Response(request_id=request.id, loglikelihood=-1.0 if said == chosen else -3.0)

    task = FlipTask(Sums())
    found = scores_of(task, ScriptedModel(script), SUMS)
    values = {metric.name: value_of(task, metric.name, found) for metric in task.metrics}
    assert values == pytest.approx(
        {"choice_agreement": 33 / 40, "lost_answers": 5 / 20, "gained_answers": 2 / 20, "accuracy_change": -3 / 40}
    )


def test_only_texts_and_choices_can_be_held_against_a_reference() -> None:
    with pytest.raises(TaskError, match=r"fidelity:.*: a reference is held against"):
        fidelity(Weather())
    with pytest.raises(TaskError, match=r"fidelity:outside_imdb: .* or right choices are counted"):
        fidelity(registry.task("outside_imdb"))  # it has choices, and its score is none of right and wrong


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints, and a suite file."""
    folder = tmp_path_factory.mktemp("fidelity")
    suite = write_suite(folder)
    (folder / "both.yaml").write_text(suite.read_text() + COMPARED)
    build_tiny_checkpoint(folder / "parent", seed=3)
    rounded(folder / "parent", folder / "child")
    return folder


def run(place: Path, model: str = "child", *, suite: str = "both.yaml", **asked: object) -> RunRecord:
    options = EvalOptions(output=place / "runs", store="none", meter="none", offline=True, dtype="float32", **asked)  # type: ignore[arg-type]
    return evaluate(str(place / model), suite=str(place / suite), options=options)


def found_in(record: RunRecord) -> dict[tuple[str, str], Estimate]:
    return {(one.task, one.metric): one for one in record.estimate_list if one.group is None}


@pytest.fixture(scope="module")
def compared(place: Path) -> RunRecord:
    return run(place, reference=str(place / "parent"))


def test_a_run_beside_a_reference_says_what_plain_loops_say(place: Path, compared: RunRecord) -> None:
    found = found_in(compared)
    texts = [row["text"] for row in TEXTS]
    every = [one for text in texts for one in plain_divergences(place / "child", place / "parent", text)]
    assert found["fidelity:minutes", "kl_divergence"].value == pytest.approx(sum(every) / len(every), rel=1e-4)
    lost = []
    for text in texts:
        own, other = (plain_logits(place / name, text)[0].log_softmax(-1) for name in ("child", "parent"))
        tokens = plain_logits(place / "parent", text)[1]
        lost += [float(other[i, token] - own[i, token]) for i, token in enumerate(tokens)]
    ratio = 2.718281828459045 ** (sum(lost) / len(lost))
    assert found["fidelity:minutes", "perplexity_ratio"].value == pytest.approx(ratio, rel=1e-4)
    alone = [found_in(run(place, name, suite="mine.yaml"))["foxes", "acc"].value for name in ("child", "parent")]
    assert alone[0] is not None
    assert alone[1] is not None
    assert found["fidelity:foxes", "accuracy_change"].value == pytest.approx(alone[0] - alone[1])
    assert found["foxes", "acc"].value == alone[0]


def test_the_reference_stands_in_spec_and_signature_and_makes_another_run(place: Path, compared: RunRecord) -> None:
    reference = compared.spec.reference
    assert reference is not None
    alone = run(place, "parent", suite="mine.yaml")
    assert reference["fingerprint"] == alone.spec.fingerprint
    assert f"reference:{reference['fingerprint'][:12]}" in found_in(compared)["foxes", "acc"].signature
    assert alone.spec.reference is None
    assert "reference:" not in found_in(alone)["foxes", "acc"].signature
    assert run(place, reference=str(place / "child")).run_id != compared.run_id
    spec = next(one for one in compared.spec.tasks if one.task == "fidelity:minutes")
    again = rebuilt(spec.task, spec.definition)
    assert [metric.name for metric in again.metrics] == [metric.name for metric in DivergenceTask.metrics]


def test_neither_the_batch_nor_an_interruption_changes_what_is_compared(place: Path, compared: RunRecord) -> None:
    other = run(place, reference=str(place / "parent"), batch_tokens=64)
    for key, one in found_in(compared).items():
        assert found_in(other)[key].value == pytest.approx(one.value, abs=1e-5)


def test_without_a_reference_what_needs_one_is_absent_with_the_reason(place: Path) -> None:
    found = found_in(run(place, seed=7))
    assert found["foxes", "acc"].value is not None
    for task in ("fidelity:minutes", "fidelity:foxes"):
        absent = [one for (name, _), one in found.items() if name == task]
        assert absent
        assert {(one.value, one.reason, one.applies) for one in absent} == {
            (None, "it holds the model against another one, which --reference names", False)
        }


def test_what_is_asked_of_two_models_is_not_asked_again_of_one(compared: RunRecord, place: Path) -> None:
    found = rerun(compared, 100, nonce="n", model=str(place / "child"), offline=True)
    assert found.ok
    assert {name.split("/")[1] for name in found.samples} == {"foxes", "minutes"}


@pytest.fixture(scope="module")
def others(place: Path) -> Path:
    """Checkpoints that can't be references."""
    build_tiny_classifier(place / "classifier")
    build_tiny_checkpoint(place / "stranger")
    build_tiny_tokenizer(vocab_size=350).save_pretrained(place / "stranger")
    config = json.loads((place / "stranger" / "config.json").read_text())
    assert config["vocab_size"] == 400
    return place


@pytest.mark.parametrize(
    ("model", "reference", "suite", "said"),
    [
        ("child", "classifier", "both.yaml", "classifier: is of the kind classifier: a sequence classifier isn't held"),
        ("classifier", "child", "both.yaml", "child: the model is of the kind classifier"),
        ("child", "nowhere", "both.yaml", "nowhere"),
        ("child", "parent", "mine.yaml", "parent: none of the tasks asked for holds the model against another one"),
    ],
)
def test_a_reference_that_makes_no_sense_is_one_clear_line(
    others: Path, model: str, reference: str, suite: str, said: str
) -> None:
    with pytest.raises(HarnessError) as refused:
        run(others, model, suite=suite, reference=str(others / reference))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


def test_another_vocabulary_is_refused_before_anything_is_computed(others: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(others / "stranger")
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    words = content["model"]["vocab"]
    first, second = list(words)[300:302]
    words[first], words[second] = words[second], words[first]
    (others / "stranger" / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(HarnessError, match=r"has another vocabulary than .*held against the other's") as refused:
        run(others, reference=str(others / "stranger"))
    assert refused.value.exit_code == 2


def test_a_suite_of_nothing_else_asks_for_the_reference(place: Path) -> None:
    with pytest.raises(HarnessError, match="Add --reference MODEL"):
        evaluate(str(place / "child"), task="fidelity:piqa", options=EvalOptions(offline=True, meter="none"))
