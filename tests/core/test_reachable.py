"""What a file can reach: edited anywhere, its digest is another; what it can't reach changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.process.reachable import code_digest, reachable

FILES = {
    "metric.py": """
        import json, torch, harness.core.errors
        from . import near
        from .package.inner import VALUE
        import beside as other

        def score(row):
            from late import used  # when it is called
            return used(VALUE, json.load(open("words.txt")), "data", "deep.csv")
        """,
    "near.py": "LIMIT = 3\n",
    "package/__init__.py": "from .again import *\n",
    "package/again.py": "A = 1\n",
    "package/inner.py": "from ..near import LIMIT\nfrom .. import metric\nVALUE = LIMIT\n",
    "beside.py": "import importlib\nmade = importlib.import_module('plug' + 'ged')\n",
    "plugged.py": "B = 2\n",
    "late.py": "def used(*all): return 1\n",
    "words.txt": "[1]\n",
    "data/deep.csv": "1\n",
}
NOT_REACHED = {"package/alone.py": "C = 3\n", "notes.md": "-\n", "data/other.csv": "2\n", "runs/spec.json": "{}\n"}


@pytest.fixture
def folder(tmp_path):
    for name, text in {**FILES, **NOT_REACHED}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(line.removeprefix("        ") for line in text.splitlines()) + "\n")
    return tmp_path


def test_every_file_that_code_imports_or_names_is_found_and_no_other(folder):
    found = {path.relative_to(folder).as_posix() for path in reachable([folder / "metric.py"])}
    assert found == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_an_edit_of_any_of_them_changes_the_digest(folder, name):
    before = code_digest([folder / "metric.py"])
    (folder / name).write_text((folder / name).read_text() + "\n")
    assert code_digest([folder / "metric.py"]) != before


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (
            "import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\nimport used",
            "lib/used.py",
        ),
        ("import sys\nsys.path.append(str(Path(__file__).resolve().parents[1]))\nimport used", "../used.py"),
        ("open(os.path.join(os.path.dirname(__file__), '..', 'words.txt'))", "../words.txt"),
        ("(Path(__file__).parent.parent / 'lists' / 'words.txt').read_text()", "../lists/words.txt"),
        ("open(os.path.join(HERE, 'lists', 'v1', 'words.txt'))", "lists/v1/words.txt"),
        ("open(HERE + '/lists/' + 'words.txt')", "lists/words.txt"),
        ("open(f'words_{language}.txt')", "words_de.txt"),
        ("open('words_%s.txt' % language)", "words_de.txt"),
        ("open('words_{}.txt'.format(language))", "words_de.txt"),
        ("[file.read_text() for file in HERE.glob('lists/*.txt')]", "lists/words.txt"),
        ("[file.read_text() for file in (HERE / 'lists').iterdir()]", "lists/words"),
        ("Path(__file__).with_suffix('.json').read_text()", "metric.json"),
        ("files('rules.data').joinpath('words.txt').read_text()", "rules/data/words.txt"),
        ("from importlib import import_module as load\nload(made)", "used.py"),
        ("importlib.import_module(f'rules.{made}')", "rules/used.py"),
        ("from rules import *", "rules/used.py"),
    ],
)
def test_files_named_in_parts_or_with_gaps_or_above_are_found(tmp_path, code, name):
    script, file = tmp_path / "suite" / "metric.py", (tmp_path / "suite" / name)
    file.parent.mkdir(parents=True, exist_ok=True)
    script.parent.mkdir(exist_ok=True)
    script.write_text(code)
    file.write_text("1\n")
    before = code_digest([script])
    file.write_text("2\n")
    assert code_digest([script]) != before


def test_an_import_from_further_up_than_there_are_folders_is_no_crash(tmp_path):
    (tmp_path / "metric.py").write_text(f"def late():\n    from {'.' * 99} import used\n")
    assert reachable([tmp_path / "metric.py"]) == [tmp_path / "metric.py"]


@pytest.mark.parametrize("name", NOT_REACHED)
def test_an_edit_of_another_file_changes_nothing(folder, name):
    before = code_digest([folder / "metric.py"])
    (folder / name).write_text("changed = True\n")
    assert code_digest([folder / "metric.py"]) == before


def test_files_that_change_places_change_the_digest(folder):
    before = code_digest([folder / "metric.py"])
    one, other = folder / "near.py", folder / "package" / "again.py"
    first, second = one.read_text(), other.read_text()
    one.write_text(second)
    other.write_text(first)
    assert code_digest([folder / "metric.py"]) != before


def test_a_digest_hangs_on_no_place(folder, tmp_path_factory):
    moved = tmp_path_factory.mktemp("moved") / "anywhere"
    folder.rename(moved)
    assert code_digest([moved / "metric.py"]) == code_digest([moved.rename(folder) / "metric.py"])


def test_python_finds_the_same_files_when_it_runs_them(tmp_path):
    """The independent truth: what a process that really imports a plug-in has loaded from its folder."""
    package = tmp_path / "mine"
    for name, text in {
        "__init__.py": "",
        "task.py": "import mine.rules\nfrom mine.sub import words\n",
        "rules.py": "from .constants import *\n",
        "constants.py": "LIMIT = 1\n",
        "sub/__init__.py": "",
        "sub/words.py": "import json\nfrom ..rules import LIMIT\nimport elsewhere\n",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    (tmp_path / "elsewhere.py").write_text("")
    script = (
        "import sys, mine.task\nfrom pathlib import Path\nfrom harness.core.process.reachable import reachable\n"
        "files = (str(getattr(module, '__file__', '')) for module in sys.modules.values())\n"
        "print(sorted(file for file in files if file.startswith(sys.argv[1])))\n"
        "print(list(map(str, reachable([Path(mine.task.__file__)]))))"
    )
    path = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, env=path
    )
    loaded, found = done.stdout.splitlines()
    assert loaded == found


def test_what_can_not_be_parsed_counts_by_its_bytes(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("def (:")
    before = code_digest([script])
    script.write_text("def )")
    assert code_digest([script]) != before
