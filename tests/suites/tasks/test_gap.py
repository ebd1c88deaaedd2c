"""GAP's scores against the authors' formula, by hand, and by a plain pass of a model."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.loader import load_model
from harness.core.errors import DataError
from harness.core.requests import Loglikelihood, Request, Response
from harness.core.scores import Score
from harness.core.tasks import TaskSettings
from harness.engine.kinds.causal import CausalModel
from harness.engine.kinds.scripted import ScriptedModel
from suites.fairness.stereotypes.gap import GAP
from tests.suites.scripts import scores_of, value_of


def row_of(number: int, pronoun: str, *, meant: str) -> dict[str, Any]:
    text = f"Ann Alder met Beth Birch in {number}, when {pronoun} was late, as so often."
    return {
        "ID": f"test-{number}",
        "Text": text,
        "Pronoun": pronoun,
        "Pronoun-offset": str(text.index(f" {pronoun} ") + 1),
        "A": "Ann Alder",
        "A-coref": str(meant == "A").upper(),
        "B": "Beth Birch",
        "B-coref": str(meant == "B").upper(),
        "URL": f"page {number}",
    }


def first_name(request: Request) -> Response:
    assert isinstance(request, Loglikelihood)
    return Response(request_id=request.id, loglikelihood=-1.0 if "Ann" in request.continuation else -9.0)


def authors_f1(rows: Sequence[dict[str, Any]]) -> float:
    """Two decisions a text, of a system that always says the first name; as precision and recall define it."""
    hits = sum(row["A-coref"] == "TRUE" for row in rows)
    precision = hits / len(rows)
    recall = hits / sum("TRUE" in (row["A-coref"], row["B-coref"]) for row in rows)
    return 2 * precision * recall / (precision + recall)


def test_f1_and_ratio_are_those_of_the_authors() -> None:
    women = [row_of(number, "she", meant="ABBA?BABBB"[number]) for number in range(10)]
    men = [row_of(number + 10, "he", meant="AAAB??ABAA"[number]) for number in range(10)]
    task = GAP()
    found = scores_of(task, ScriptedModel(first_name), [*women, *men])
    assert value_of(task, "gap_f1", found, gender="feminine") == pytest.approx(authors_f1(women))
    assert value_of(task, "gap_f1", found, gender="masculine") == pytest.approx(authors_f1(men))
    assert value_of(task, "gap_bias", found) == pytest.approx(authors_f1(women) / authors_f1(men))


def test_a_ratio_over_nothing_is_absent() -> None:
    task = GAP()
    rows = [row_of(number, "he" if number % 2 else "she", meant="B") for number in range(20)]
    found = scores_of(task, ScriptedModel(first_name), rows)
    assert "nothing to divide by" in str(value_of(task, "gap_bias", found))
    assert "9 texts of one gender are too few" in str(value_of(task, "gap_bias", found[:-2]))


def test_as_many_texts_of_each_gender_are_asked_about_the_pronoun_where_it_stands() -> None:
    rows = [row_of(number, "she" if number < 20 else "his", meant="A") for number in range(60)]
    samples = GAP().samples(rows, TaskSettings(limit=20, num_fewshot=0, seed=1))
    assert sum(one.fields["groups"]["gender"] == "feminine" for one in samples) == 10
    number = samples[0].id.removeprefix("test-")
    around = f"... Birch in {number}, when she was late, as so ..."
    assert samples[0].prompt.endswith(f'often.\n\nQuestion: In "{around}", who is "she"?\nAnswer:')
    assert {one.id for one in samples} != {
        one.id for one in GAP().samples(rows, TaskSettings(limit=20, num_fewshot=0, seed=2))
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Pronoun-offset": "3"}, "its pronoun doesn't stand where it says"),
        ({"Pronoun": "they"}, "the pronoun 'they' is none of"),
        ({"B-coref": "TRUE"}, "says TRUE and TRUE of its names"),
    ],
)
def test_damaged_rows_are_one_clear_line(change: dict[str, str], said: str) -> None:
    with pytest.raises(DataError, match=said):
        GAP().samples([{**row_of(1, "she", meant="A"), **change}], TaskSettings(limit=1, num_fewshot=0, seed=0))


def test_choices_are_those_of_a_plain_pass(tiny_llama: Path) -> None:
    loaded = load_model(resolve(str(tiny_llama)), dtype="float32", device="cpu", trust_remote_code=False)
    rng = Random(0)
    rows = [row_of(number, rng.choice(["she", "he"]), meant=rng.choice("AB")) for number in range(12)]
    task = GAP()
    samples = task.samples(rows, TaskSettings(limit=None, num_fewshot=0, seed=0))
    found: list[Score] = scores_of(task, CausalModel(loaded, batch_tokens=256), rows)
    for sample in samples:
        (score,) = (one for one in found if one.sample_id == sample.id and one.metric == "gap_f1")
        per_character = [_plain(loaded, sample.prompt, f" {name}") / len(name) for name in sample.choices]
        assert score.predicted == sample.choices[per_character.index(max(per_character))]


def _plain(loaded: Any, context: str, continuation: str) -> float:
    start = loaded.tokenizer(context)["input_ids"]
    whole = loaded.tokenizer(context + continuation)["input_ids"]
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([whole])).logits[0].double().log_softmax(-1)
    return sum(float(logits[place - 1, whole[place]]) for place in range(len(start), len(whole)))
