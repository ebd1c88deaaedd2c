"""A suite file may choose noise and weights, and what is shown of a suite selects the same again."""

from pathlib import Path

import pytest

from harness.core.errors import TaskError
from harness.suitefiles.selection import Selection, presets, select
from harness.suitefiles.showing import show_suite
from harness.tasks.options import TaskOptions

OPTIONS = TaskOptions()


def chosen(name: str) -> Selection:
    return select([name], [], limit=None, num_fewshot=None, seed=0, options=OPTIONS)


def planned(selection: Selection) -> dict[tuple[str, str], object]:
    return {(one.suite, one.task.name): (one.settings, dict(one.task.definition)) for one in selection.planned}


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text)
    return str(path)


MINE = """
suites: [perplexity]
limit: 7
severities: [1, 3]
weights: {perplexity: 2, robustness: 0.5, mine: 1}
tasks:
  - robustness_piqa
  - {name: "robustness:boolq", perturbations: [casing, keyboard_typos], severities: [5]}
  - {name: piqa, num_fewshot: 2}
  - name: foxes
    type: multiple_choice
    data: foxes.jsonl
    prompt: "Where does fox {n} jump?"
    choices: options
    gold: gold
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "foxes.jsonl").write_text('{"n": 1, "options": ["a", "b"], "gold": 0}\n')
    return write(tmp_path, MINE)


@pytest.mark.parametrize(
    "name", ["accuracy", "energy", "robustness", *sorted(set(presets()) - {"standard"})]
)  # which needs a hub
def test_what_is_shown_of_a_suite_selects_the_same(name: str, tmp_path: Path) -> None:
    shown = show_suite(name, OPTIONS)
    again = chosen(write(tmp_path, shown.to_yaml()))
    assert planned(again) == planned(chosen(name))
    assert {suite.name for suite in again.suites} == {suite.name for suite in chosen(name).suites}


def test_a_file_with_tasks_of_its_own_is_shown_so_too(mine: str) -> None:
    text, before = show_suite(mine, OPTIONS).to_yaml(), chosen(mine)
    Path(mine).write_text(text)
    assert planned(chosen(mine)) == planned(before)
    assert chosen(mine).weights == before.weights == {"perplexity": 2.0, "robustness": 0.5, "mine": 1.0}


def test_noise_of_the_file_is_for_every_robust_task_and_an_entry_has_the_last_word(mine: str) -> None:
    found = {one.task.name: one.task.definition for one in chosen(mine).planned}
    assert found["robustness_piqa"]["severities"] == [1, 3]
    assert found["robustness:boolq"]["severities"] == [5]
    assert found["robustness:boolq"]["perturbations"] == ["casing", "keyboard_typos"]


def test_a_suite_has_its_one_score_where_a_file_picks_some_of_its_tasks(mine: str) -> None:
    assert {suite.name for suite in chosen(mine).suites} == {"perplexity", "robustness", "accuracy"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [piqa]\nweigths: {accuracy: 1}", "did you mean weights"),
        ("tasks: [piqa]\nweights: {acuracy: 1}", "did you mean accuracy"),
        ("tasks: [piqa]\nweights: {accuracy: -1}", "from 0 up"),
        ("tasks: [piqa]\nweights: {accuracy: .nan}", "from 0 up"),
        ("tasks: [piqa]\nweights: {accuracy: 0}", "all weights are 0"),
        ("tasks: [robustness_piqa]\nseverities: [6]", "less than or equal to 5"),
        ("tasks: [robustness_piqa]\nseverities: []", "severities"),
        ("tasks: [{name: robustness_piqa, perturbations: [keyboard_typo]}]", "did you mean keyboard_typos"),
        ("tasks: [{name: piqa, severities: [1]}]", "no noise in it"),
    ],
)
def test_mistakes_are_named(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError) as raised:
        chosen(write(tmp_path, text))
    assert "mine.yaml" in str(raised.value)
    assert words in str(raised.value)
