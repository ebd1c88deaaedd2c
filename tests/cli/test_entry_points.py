"""Every entry-point group: it is listed, documented, and refuses what doesn't fulfil its contract in one line."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core import registry
from harness.core.errors import PluginError, UnknownName
from harness.core.groups import GROUPS, groups_table
from harness.core.perturbations import Swap
from harness.run.options import EvalOptions
from harness.run.planning import plan
from probes.bias.swaps import NameSwap

ROOT = Path(__file__).parents[2]
PACKAGE = "wrong-things"
MODULE = """
WRONG = 1

class Empty:
    pass

class Halved(Empty):
    name = "halved"
    def perturb(self, text, rng, severity):
        return text
    limit = 3

class Needy:
    def __init__(self, more):
        pass
    def accepts(self, ref):
        return True
    def fetch(self, ref, options):
        return None

class Failing(Needy):
    def __init__(self):
        raise ValueError("no such library")

def numbers():
    return [1]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Install a package with these entry points: `install({group: {name: attribute}})`."""

    def written(entries: dict[str, dict[str, str]]) -> None:
        about = tmp_path / "site" / "wrong_things-1.0.dist-info"
        about.mkdir(parents=True)
        (tmp_path / "site" / "wrong_things.py").write_text(MODULE)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
        sections = [
            f"[{group}]\n" + "".join(f"{name} = wrong_things:{found}\n" for name, found in listed.items())
            for group, listed in entries.items()
        ]
        (about / "entry_points.txt").write_text("".join(sections))
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        registry._entries.cache_clear()

    yield written
    registry._entries.cache_clear()


def test_the_list_holds_every_group_that_the_package_itself_registers_in():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = set(project["entry-points"]) - {"pytest11"}  # pytest's, for a fixture
    assert ours <= set(GROUPS)
    # The catalogue of data sets is known without entry points.
    assert set(GROUPS) - ours == {"harness.datasets"}


def test_the_documentation_shows_the_list():
    assert groups_table() in (ROOT / "docs" / "plugins.md").read_text()


@pytest.mark.parametrize("group", GROUPS)
def test_all_that_we_register_fulfils_its_contract(group):
    for name in registry.names(group):
        registry.check(group, name)


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_refuses_a_number_in_one_line(install, group):
    install({group: {"wrong": "WRONG"}})
    with pytest.raises(PluginError) as refused:
        registry.check(group, "wrong")
    said = str(refused.value)
    assert said.startswith("wrong: ")
    assert GROUPS[group].noun in said
    assert PACKAGE in said
    assert "\n" not in said


@pytest.mark.parametrize("group", [name for name, one in GROUPS.items() if one.holds in ("class", "maker")])
def test_each_group_of_classes_refuses_a_class_that_has_nothing_of_the_contract(install, group):
    install({group: {"empty": "Empty"}})
    with pytest.raises(PluginError, match=r"the class wrong_things\.Empty"):
        registry.check(group, "empty")


@pytest.mark.parametrize(
    ("group", "attribute", "words"),
    [
        ("harness.perturbations", "Halved", "without limit, which a harness.core.perturbations.Perturbation has"),
        ("harness.checkpoint_sources", "Needy", "fails when it is made: TypeError"),
        ("harness.checkpoint_sources", "Failing", "fails when it is made: ValueError: no such library"),
        ("harness.datasets", "numbers", "an object of the type int, not a harness.core.datasets.DataSet"),
        ("harness.datasets", "Needy", "can't be listed: TypeError"),
        ("harness.tasks", "gone", "can't be imported from wrong_things:gone: AttributeError"),
    ],
)
def test_what_is_nearly_right_is_refused_with_what_it_lacks(install, group, attribute, words):
    install({group: {"nearly": attribute}})
    with pytest.raises(PluginError) as refused:
        registry.check(group, "nearly")
    assert words in str(refused.value)


def test_a_swap_is_no_meter():
    with pytest.raises(UnknownName, match="no such meter"):
        registry.load("harness.meters", "name_swap")
    said = GROUPS["harness.meters"].fault(NameSwap)
    assert said == (
        "is the class probes.bias.swaps.NameSwap without close and count and phase and stage, "
        "which a harness.core.meters.Meter has"
    )
    assert GROUPS["harness.swaps"].made_fault(NameSwap()) is None
    swap: Swap = NameSwap()  # mypy holds it against the protocol too
    assert swap.version


SUITE = """
name: mine
tasks:
  - name: foxes
    type: {type}
    data: questions.jsonl
    prompt: "Question: {{question}}\\nAnswer:"
    choices: options
    gold: gold
    metrics: [acc]
"""
COMMANDS = {
    "harness.suites": ("eval", "--suite", "wrong"),
    "harness.tasks": ("eval", "--task", "wrong"),
    "harness.task_types": ("eval", "--suite", "wrong.yaml"),
    "harness.task_wrappers": ("eval", "--task", "wrong:piqa"),
    "harness.presets": ("suites",),
    "harness.datasets": ("data", "list"),
    "harness.checkpoint_sources": ("inspect",),
    "harness.meters": ("eval", "--suite", "mine.yaml", "--meter", "wrong"),
    "harness.perturbations": ("eval", "--task", "robustness:piqa"),
    "harness.sample_perturbations": ("eval", "--task", "robustness:piqa"),
    "harness.picture_perturbations": ("eval", "--task", "robustness:digits"),
}


@pytest.mark.parametrize("group", COMMANDS)
def test_a_command_that_meets_a_wrong_thing_ends_with_one_line_and_exit_code_2(
    install, harness_here, tiny_llama, tmp_path, group
):
    (tmp_path / "mine.yaml").write_text(SUITE.format(type="multiple_choice"))
    (tmp_path / "wrong.yaml").write_text(SUITE.format(type="wrong"))
    (tmp_path / "questions.jsonl").write_text('{"question": "Who?", "options": ["a fox", "a dog"], "gold": 0}\n')
    install({group: {"wrong": "WRONG"}})
    command = COMMANDS[group]
    ended = harness_here(*command, *(("--model", tiny_llama) if command[0] in ("eval", "inspect") else ()))
    assert ended.returncode == 2, ended.err
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "an object of the type int" in ended.stderr
    assert PACKAGE in ended.stderr


def test_doctor_lists_every_group_with_the_packages_that_bring_something(install, monkeypatch, tmp_path):
    from harness.examine.doctor import examine

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    install({**{group: {"wrong": "WRONG"} for group in GROUPS}, "harness.probes": {"clock": "WRONG"}})
    findings = {one.name: one for one in examine(offline=True)}
    for name, group in GROUPS.items():
        assert f"1 of {PACKAGE}" in findings[name].detail
        assert findings[f"{group.noun} wrong"].status == "missing"
    ours = len([name for name in registry.names("harness.perturbations") if name != "wrong"])
    assert f"{ours} of responsible-eval-harness" in findings["harness.perturbations"].detail
    former = findings["harness.probes"]
    assert former.status == "missing"
    assert PACKAGE in former.detail
    assert "harness.meters" in (former.fix or "")
    assert "\n" not in former.detail


def test_a_method_of_attribution_is_refused_before_the_model_is_loaded(install, tiny_llama):
    install({"harness.attributions": {"guess": "Empty"}})
    options = EvalOptions(offline=True, meter="none")
    with pytest.raises(PluginError, match="guess"):
        plan(str(tiny_llama), suite=(), task="attribution:piqa", options=options)
