"""Entities and their metrics against seqeval."""

import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval import metrics as seqeval
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB1, IOB2, IOBES, Entities

from harness.core.datasets import Row
from harness.core.errors import DataError, HarnessError
from harness.core.metrics import Undefined
from harness.core.requests import Response, Tag
from harness.core.tasks import TaskSettings
from harness.data import load_data
from harness.metrics.entities import entities, entity_type
from harness.suitefiles.selection import select
from harness.tasks.options import TaskOptions
from harness.tasks.tagging import Tagging, entity_metrics

TYPES = ("PER", "LOC")
ALL = TaskSettings(limit=None, num_fewshot=0, seed=0)


class Names(Tagging):
    """Names."""

    name = "names"
    types = TYPES
    metrics = entity_metrics(TYPES)

    def words(self, row: Row) -> list[str]:
        return list(row["words"])

    def tags(self, row: Row) -> list[str]:
        return list(row["tags"])


def _tags(prefixes: str) -> st.SearchStrategy[list[str]]:
    one = st.sampled_from(["O", *(f"{prefix}-{type_}" for prefix in prefixes for type_ in TYPES)])
    return st.lists(one, min_size=1, max_size=12)


@given(st.one_of(_tags("BI"), _tags("BIES")))
def test_entities_of_any_tags_are_seqevals(tags: list[str]) -> None:
    found = [(entity.type, entity.start, entity.end - 1) for entity in entities(tags)]
    assert found == get_entities(tags)


WELL_FORMED = {
    IOB1: ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER", "O", "O", "I-LOC"],
    IOB2: ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "O", "O", "B-LOC"],
    IOBES: ["B-PER", "E-PER", "S-PER", "O", "S-LOC", "S-PER", "O", "O", "S-LOC"],
}


@pytest.mark.parametrize("scheme", WELL_FORMED)
def test_every_scheme_tells_the_same_entities_and_those_of_seqevals_strict_reading(scheme: type) -> None:
    found = [(entity.type, entity.start, entity.end) for entity in entities(WELL_FORMED[scheme])]
    strict = Entities([WELL_FORMED[scheme]], scheme).entities[0]
    assert found == [(entity.tag, entity.start, entity.end) for entity in strict]
    assert found == [("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 5), ("PER", 5, 6), ("LOC", 8, 9)]


def test_bilou_is_iobes_by_another_name() -> None:
    assert entities(["B-X", "L-X", "U-X"]) == entities(["B-X", "E-X", "S-X"])


def test_a_type_may_hold_a_dash() -> None:
    assert entity_type("B-work-of-art") == "work-of-art"
    assert [entity.type for entity in entities(["B-work-of-art", "I-work-of-art"])] == ["work-of-art"]


def _values(gold: list[list[str]], predicted: list[list[str] | None]) -> dict[str, float | None]:
    task = Names()
    rows = [{"words": [f"w{place}" for place in range(len(tags))], "tags": tags} for tags in gold]
    scores = []
    for sample, tags in zip(task.samples(rows, ALL), predicted, strict=True):
        (request,) = task.requests(sample)
        scores += task.score(
            sample, [Response(request_id=request.id, tags=None if tags is None else tuple(tags), invalid=None)]
        )
    values: dict[str, float | None] = {}
    for metric in task.metrics:
        try:
            valid = [score for score in scores if score.metric == metric.name and score.invalid is None]
            values[metric.name] = metric.reduce(valid, Random("a")).value
        except Undefined:
            values[metric.name] = None
    return values


def test_scores_over_many_sentences_are_seqevals() -> None:
    rng = Random(0)
    choices = ["O", "O", *(f"{prefix}-{type_}" for prefix in "BI" for type_ in TYPES)]
    gold = [rng.choices(choices, k=rng.randint(1, 12)) for _ in range(60)]
    predicted: list[list[str] | None] = [
        [tag if rng.random() < 0.7 else rng.choice(choices) for tag in tags] for tags in gold
    ]
    values = _values(gold, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = seqeval.classification_report(gold, predicted, output_dict=True)
    for name, row in (("", "micro avg"), *((f"_{type_}", type_) for type_ in TYPES)):
        assert values[f"precision{name}"] == pytest.approx(report[row]["precision"])
        assert values[f"recall{name}"] == pytest.approx(report[row]["recall"])
        assert values[f"f1{name}"] == pytest.approx(report[row]["f1-score"])


def test_data_and_model_may_use_different_schemes_and_spellings() -> None:
    values = _values([["B-PER", "I-PER", "O", "B-LOC"]], [["B-per", "E-per", "O", "S-loc"]])
    assert (values["f1"], values["f1_PER"]) == (1.0, 1.0)


def test_an_unknown_type_of_the_model_counts_against_precision() -> None:
    values = _values([["B-PER", "O"]], [["B-PER", "B-DATE"]])
    assert (values["precision"], values["recall"], values["precision_PER"]) == (0.5, 1.0, 1.0)


def test_what_cannot_be_counted_is_absent_not_zero() -> None:
    values = _values([["B-PER", "O"]], [["O", "O"]])
    assert (values["precision"], values["recall"], values["f1"], values["f1_LOC"]) == (None, 0.0, 0.0, None)


def test_a_sentence_without_an_answer_counts_nowhere() -> None:
    values = _values([["B-PER"], ["B-PER"]], [["B-PER"], None])
    assert values["recall"] == 1.0


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"words": ["a", "b"], "tags": ["O"]}, "2 words and 1 tags"),
        ({"words": [], "tags": []}, "no words"),
        ({"words": ["a"], "tags": ["B-GPE"]}, "'B-GPE' is of none of the types PER, LOC"),
    ],
)
def test_a_row_that_cannot_be_scored_is_named(row: Row, said: str) -> None:
    with pytest.raises(DataError, match=f"row 1: .*{said}"):
        Names().samples([row], ALL)


CONLL = "-DOCSTART- O\n\nMary B-PER\nlives O\nin O\nRome B-LOC\n\nYes O\n"
SUITE = "name: mine\ntasks:\n  - {name: people, type: tag, data: names.conll, types: [PER, LOC]}\n"


def _declared(folder: Path, suite: str, conll: str) -> tuple[Tagging, list[Tag]]:
    (folder / "names.conll").write_text(conll)
    (folder / "mine.yaml").write_text(suite)
    (one,) = select(
        [str(folder / "mine.yaml")], [], limit=None, num_fewshot=None, seed=0, options=TaskOptions()
    ).planned
    task = one.task
    assert isinstance(task, Tagging)
    assert task.data is not None
    assert not isinstance(task.data, str)
    return task, [
        request for sample in task.samples(load_data(task.data).rows, ALL) for request in task.requests(sample)
    ]


def test_a_declared_task_reads_conll_files(tmp_path: Path) -> None:
    task, requests = _declared(tmp_path, SUITE, CONLL)
    assert requests == [Tag(words=("Mary", "lives", "in", "Rome")), Tag(words=("Yes",))]
    assert [metric.name for metric in task.metrics] == [
        *("precision", "recall", "f1"),
        *("precision_PER", "recall_PER", "f1_PER"),
        *("precision_LOC", "recall_LOC", "f1_LOC"),
    ]


@pytest.mark.parametrize(
    ("suite", "conll", "said"),
    [
        (SUITE.replace(", types: [PER, LOC]", ""), CONLL, "tasks[0].types: is missing"),
        (SUITE.replace("[PER, LOC]", "[PER]"), CONLL, "'B-LOC' is of none of the types PER"),
        (SUITE.replace("types:", "words: text, types:"), CONLL, "text"),
        (SUITE, "Mary\n", "needs two"),
    ],
)
def test_a_fault_in_a_declaration_or_its_data_is_told_in_one_line(
    tmp_path: Path, suite: str, conll: str, said: str
) -> None:
    with pytest.raises(HarnessError) as caught:
        _declared(tmp_path, suite, conll)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
