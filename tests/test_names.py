"""The host knows no guest: no suite or task is named in `harness`, `leaderboard` or `probes`.

The rule: a string literal that is wholly the name of a suite or task which this project registers, and such a key or
item of a YAML file. Names inside sentences (help, docstrings, examples) are for people. Allowed are the places below,
where the same word is the name of something else.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HOSTS = ("harness", "leaderboard", "probes")
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
NAMES = frozenset((*GROUPS["harness.suites"], *GROUPS["harness.tasks"]))

OTHERS = {
    "harness/charts/locale/zh.yaml": {"bleu", "hallucination"},  # our metrics of these names
    "harness/charts/locale/en.yaml": {"accuracy", "bleu", "energy"},  # the same
    "harness/checkpoints/chat_templates.py": {"tools"},  # a variable of chat templates
    "harness/core/requests.py": {"tools"},  # a field of requests
    "harness/engine/rendering.py": {"tools"},  # a variable of chat templates
    "harness/engine/writing/replies.py": {"reasoning"},  # a field of a server's answers
    "harness/lm_eval/metrics.py": {"perplexity", "bleu"},  # metrics of lm-evaluation-harness
    "harness/metrics/evaluate.py": {"perplexity"},  # a metric of the library evaluate
    "harness/metrics/texts.py": {"bleu"},  # our metric of that name
    "harness/sandbox/inside/syscalls.py": {"instructions"},  # those of a processor
    "harness/scorers/classifier.py": {"toxicity"},  # a label of other people's classifiers
    # the code that made a run, a block of code in a text, a status code
    **{f"harness/report/{file}.py": {"code"} for file in ("blocks", "sections/data", "sections/identity")},
    "harness/report/sections/verification.py": {"code"},
    "harness/signing/statement.py": {"code"},
    "leaderboard/hosts.py": {"code"},
    # values of which samples are grouped
    "harness/report/groups/locale/zh.yaml": {"chinese", "education", "finance", "legal", "medical"},
    "harness/report/pdf.py": {"chinese"},  # whether there are letters for it
    **{f"probes/bias/{language}.yaml": {"chinese"} for language in ("en", "zh")},  # a group of people
}
"""Words that are names of something else there."""

TEMPLATES = "harness/decision/policies/"
"""Presets of the gate: files for users to begin their own from, which name what they judge."""


def _literals(tree: ast.AST) -> Iterator[str]:
    """String literals, but for what describes a data set: those have names and columns of their own."""
    if isinstance(tree, ast.Call) and getattr(tree.func, "id", "") == "DataSet":
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree.value
    for child in ast.iter_child_nodes(tree):
        yield from _literals(child)


def _words(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (*_words(key), *_words(value))
    elif isinstance(content, list):
        for value in content:
            yield from _words(value)
    elif isinstance(content, str):
        yield content


def _found(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    return NAMES.intersection(_literals(ast.parse(text)) if path.suffix == ".py" else _words(yaml.safe_load(text)))


@pytest.mark.parametrize("host", HOSTS)
def test_the_host_names_no_suite_and_no_task(host: str) -> None:
    files = [path for suffix in ("py", "yaml") for path in (ROOT / host).rglob(f"*.{suffix}")]
    named = {path.relative_to(ROOT).as_posix(): found for path in files if (found := _found(path))}
    assert len(files) > 5
    assert {
        file: found - OTHERS.get(file, set())
        for file, found in named.items()
        if not file.startswith(TEMPLATES) and not found <= OTHERS.get(file, set())
    } == {}


def test_what_is_excepted_is_still_there() -> None:
    assert {file: _found(ROOT / file) for file in OTHERS} == OTHERS


def test_the_search_finds_a_name(tmp_path: Path) -> None:
    code, words = tmp_path / "a.py", tmp_path / "a.yaml"
    code.write_text('if suite == "energy":\n    """On accuracy alone."""\n    DataSet(name="piqa")\n')
    words.write_text("- suites: [mmlu]\n- why: energy, known or estimated\n")
    assert _found(code) == {"energy"}
    assert _found(words) == {"mmlu"}
