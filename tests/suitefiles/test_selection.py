from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.core.errors import InputError, UnknownName
from harness.suitefiles.selection import PlannedTask, Selection, TaskOptions, presets, select

ACCURACY = ["piqa", "siqa", "commonsense_qa", "boolq", "mmlu", "imdb", "imdb_classifier", "conll2003_ner"]


def _select(suites: Sequence[str] = (), tasks: Sequence[str] = (), **changes: Any) -> Selection:
    settings: dict[str, Any] = {"limit": None, "num_fewshot": None, "seed": 0, "options": TaskOptions(), **changes}
    return select(suites, tasks, **settings)


def _pairs(selection: Selection) -> list[tuple[str, str]]:
    return [(planned.suite, planned.task.name) for planned in selection.planned]


def _by_name(selection: Selection) -> dict[str, PlannedTask]:
    return {planned.task.name: planned for planned in selection.planned}


def _file(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_suite_brings_its_tasks_in_its_order() -> None:
    selection = _select(["accuracy"])
    assert _pairs(selection) == [("accuracy", name) for name in ACCURACY]
    assert [suite.name for suite in selection.suites] == ["accuracy"]


def test_full_is_every_registered_suite_and_what_runs_when_nothing_is_asked_for() -> None:
    full = _select()
    assert _pairs(full) == _pairs(_select(["full"]))
    assert [suite.name for suite in full.suites] == registry.names("harness.suites")
    for suite in full.suites:
        assert [name for owner, name in _pairs(full) if owner == suite.name] == list(suite.tasks)


def test_quick_is_full_with_smaller_samples() -> None:
    quick, full = _by_name(_select(["quick"])), _by_name(_select(["full"]))
    assert set(quick) == set(full)
    for name, planned in quick.items():
        assert planned.settings.limit is not None
        assert full[name].settings.limit is not None
        assert planned.settings.limit < full[name].settings.limit, name  # type: ignore[operator]


def test_presets_are_the_suite_files_of_the_registered_folders() -> None:
    assert set(presets()) >= {"quick", "full"}


def test_a_task_by_name_runs_alone_under_its_suite() -> None:
    selection = _select(tasks=["wikitext_sentences"])
    assert _pairs(selection) == [("perplexity", "wikitext_sentences")]
    assert selection.suites == ()


def test_commas_and_repeats_are_one_list() -> None:
    apart = _select(["perplexity", "accuracy"], ["piqa", "piqa"])
    assert _pairs(apart) == _pairs(_select([" perplexity , accuracy,"], ["piqa"]))
    assert len(set(_pairs(apart))) == len(apart.planned)


def test_limits_are_the_tasks_own_unless_asked_for() -> None:
    (planned,) = _select(tasks=["piqa"]).planned
    assert planned.settings.limit == planned.task.default_limit
    (planned,) = _select(tasks=["piqa"], limit=7).planned
    assert planned.settings.limit == 7
    (planned,) = _select(tasks=["piqa"], limit="all").planned
    assert planned.settings.limit is None


def test_an_explicit_setting_wins_over_a_task_entry_over_the_file_over_the_task(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "suites: [perplexity]\nlimit: 9\nnum_fewshot: 1\n"
        "tasks: [boolq, {name: piqa, limit: 4, num_fewshot: 2}, {name: xsum_documents, limit: all}]\n",
    )
    file = _by_name(_select([path]))
    assert {name: (each.settings.limit, each.settings.num_fewshot) for name, each in file.items()} == {
        "wikitext_sentences": (9, 0),
        "wikitext_pseudo_perplexity": (9, 0),
        "xsum_documents": (None, 0),
        "boolq": (9, 1),
        "piqa": (4, 2),
    }
    explicit = _by_name(_select([path], limit=3, num_fewshot=5))
    assert {each.settings.limit for each in explicit.values()} == {3}
    assert (explicit["piqa"].settings.num_fewshot, explicit["xsum_documents"].settings.num_fewshot) == (5, 0)


def test_a_file_names_the_suite_of_the_tasks_it_declares_only(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n', encoding="utf-8")
    path = _file(
        tmp_path,
        "tasks: [piqa, {name: letters, type: loglikelihood_rolling, data: rows.jsonl, text: text}]\n",
    )
    assert _pairs(_select([path])) == [("accuracy", "piqa"), ("mine", "letters")]


def test_what_is_asked_for_first_wins(tmp_path: Path) -> None:
    path = _file(tmp_path, "tasks: [{name: piqa, limit: 4}]\n")
    first = _by_name(_select([path, "accuracy"]))
    assert (first["piqa"].settings.limit, next(iter(first))) == (4, "piqa")
    assert _by_name(_select(["accuracy", path]))["piqa"].settings.limit != 4


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_below_1_is_refused(limit: int) -> None:
    with pytest.raises(InputError, match=f"--limit: {limit} is not a number of samples"):
        _select(["accuracy"], limit=limit)


def test_a_negative_number_of_exemplars_is_refused() -> None:
    with pytest.raises(InputError, match="--num-fewshot: -1 is not a number of exemplars"):
        _select(["accuracy"], num_fewshot=-1)


def test_an_unknown_suite_or_task_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownName, match="acuracy: no such suite; did you mean accuracy"):
        _select(["acuracy"])
    with pytest.raises(UnknownName, match="quik: no such suite; did you mean quick"):
        _select(["quik"])
    with pytest.raises(UnknownName, match="pika: no such task; did you mean piqa"):
        _select(tasks=["pika"])


def test_the_seed_reaches_every_task() -> None:
    assert {planned.settings.seed for planned in _select(seed=11).planned} == {11}


@pytest.mark.parametrize(
    ("name", "option"), [("limit", "--limit"), ("num_fewshot", "--num-fewshot"), ("seed", "--seed")]
)
def test_a_number_that_no_record_can_hold_is_refused(name: str, option: str) -> None:
    with pytest.raises(InputError) as caught:
        _select(["accuracy"], **{name: 2**53})
    assert caught.value.place == option


@pytest.mark.parametrize(("suites", "tasks", "option"), [([""], [], "--suite"), ([], [" , "], "--task")])
def test_an_empty_name_is_refused_and_never_runs_everything(suites: list[str], tasks: list[str], option: str) -> None:
    with pytest.raises(InputError, match="lists nothing") as caught:
        _select(suites, tasks)
    assert caught.value.place == option
