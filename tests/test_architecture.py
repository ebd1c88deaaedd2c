"""The house rules that a linter can't check: sizes of files, folders and functions, and names that mean one thing."""

import ast
import graphlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("harness", "suites", "probes", "leaderboard")
EVERYTHING = (*PRODUCT, "tests", "benchmarks")

MOST_FILES, MOST_LOOSE, MOST_LINES, LONGEST_FUNCTION = 20, 4, 400, 60
ENTRANCES = {"main", "write", "page"}
"""Functions that are read with their module: of a script, of a format, of a page."""


def files(*folders: str) -> Iterator[Path]:
    return (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("folder", EVERYTHING)
def test_no_folder_holds_more_files_than_one_can_look_over(folder: str) -> None:
    counts = defaultdict(int)
    for path in files(folder):
        counts[short(path.parent)] += 1
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}


def test_few_modules_of_the_harness_stand_in_no_room() -> None:
    loose = {path.stem for path in (ROOT / "harness").glob("*.py")} - {"__init__", "__main__"}
    assert len(loose) <= MOST_LOOSE, loose


def test_no_file_is_longer_than_one_can_keep_in_mind() -> None:
    lines = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*EVERYTHING)}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {}
    for path in files(*PRODUCT):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                # A list of options of the command line is no code.
                start = node.body[0].lineno if short(path).startswith("harness/cli/") else node.lineno
                found[f"{short(path)}: {node.name}"] = (node.end_lineno or start) - start + 1
    assert {name: count for name, count in found.items() if count > LONGEST_FUNCTION} == {}


def _homes(*kinds: type[ast.AST]) -> dict[str, list[str]]:
    homes = defaultdict(list)
    for path in files(*PRODUCT):
        for node in parsed(path).body:
            name = getattr(node, "name", "")
            if isinstance(node, kinds) and not name.startswith("_"):
                homes[name].append(short(path))
    return {name: places for name, places in homes.items() if len(places) > 1}


def test_no_public_class_is_defined_twice() -> None:
    assert _homes(ast.ClassDef) == {}


def test_a_function_that_shares_its_name_is_read_with_its_module() -> None:
    shared = {name for name in _homes(ast.FunctionDef, ast.AsyncFunctionDef) if name not in ENTRANCES}
    imported = {
        f"{short(path)}: {name.name}"
        for path in files(*PRODUCT)
        if path.name != "__init__.py"  # which only hands on
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in shared and name.asname is None and (node.module or "").partition(".")[0] in PRODUCT
    }
    assert imported == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    # Late imports count: one that cuts a circle only hides it.
    graph = grimp.build_graph(*PRODUCT, exclude_type_checking_imports=True, cache_dir=None)
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    # Raises `CycleError`, which names the circle.
    assert set(graphlib.TopologicalSorter(imported).static_order()) >= graph.modules
