"""What the documentation names is there: commands with their options, names of Python."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from harness.cli.app import app
from harness.core.groups import FORMER, GROUPS

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
COMMAND: Any = typer.main.get_command(app)
OF_OTHERS = {"--help", "--use_cache", "--metrics"}
"""Options of every command, of lm-eval, of llama.cpp."""
NAME = re.compile(r"(?<![\w/.\"])harness(?:\.(?!pub\b|key\b)\w+)+")
OF_BENCHMARKS = re.compile(r"^    (\w+): Annotated\[|\"--([a-z-]+)\"", re.MULTILINE)


def typed(text: str) -> list[str]:
    """The lines of a page's blocks that call the harness, each whole where it goes on."""
    blocks = re.findall(
        r"^```(?:sh|bash|console)\n(.*?)^```|(?<=\n\n)((?: {4}[^\n]*\n)+)", text, flags=re.DOTALL | re.MULTILINE
    )
    lines = [line.strip() for block in blocks for line in "".join(block).replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("harness ")]


def spoken(text: str) -> set[str]:
    """What stands between single backquotes."""
    without_blocks = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", without_blocks)}


def read(line: str) -> None:
    """Raises where the command or one of its options doesn't exist, or an option lacks its value."""
    words, command = shlex.split(line, comments=True), COMMAND
    context = command.context_class(command, info_name=words.pop(0))
    while words and (inner := getattr(command, "commands", None)):
        command = inner[words.pop(0)]
        context = command.context_class(command, parent=context)
    command.make_parser(context).parse_args(words)


def options(command: Any = COMMAND) -> Iterator[str]:
    for one in command.params:
        yield from (*one.opts, *one.secondary_opts)
    for inner in getattr(command, "commands", {}).values():
        yield from options(inner)


TYPED = sorted({line for page in PAGES for line in typed(page.read_text("utf-8"))})


@pytest.mark.parametrize("line", TYPED)
def test_a_command_has_the_options_that_it_is_given(line: str) -> None:
    read(line)


def test_options_that_are_spoken_of_exist() -> None:
    known = {*options(), *OF_OTHERS}
    for path in (ROOT / "benchmarks").rglob("*.py"):
        known |= {f"--{a or b}" for a, b in OF_BENCHMARKS.findall(path.read_text("utf-8"))}
    named = {
        (page.name, name)
        for page in PAGES
        for span in spoken(page.read_text("utf-8"))
        for name in re.findall(r"(?<!\S)--[a-z][a-z_-]*", span)
    }
    assert not sorted(f"{page}: {name}" for page, name in named if name not in known)


def is_there(name: str) -> bool:
    """Whether a module of that name exists, or one whose text has the rest of the name; nothing is imported."""
    module, _, rest = name.partition(":")
    places = (ROOT / module.replace(".", "/") for module in (f"{module}.{rest}", module, module.rpartition(".")[0]))
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()]
    wanted = rest or module.rpartition(".")[2]
    return any(
        wanted in (file.stem, file.parent.name) or re.search(rf"\b{wanted}\b", file.read_text("utf-8"))
        for file in files
    )


def test_names_of_python_exist() -> None:
    named = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        code = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
        whole = [name for part in (*code, *spoken(text)) for name in NAME.findall(part)]
        imported = [
            found for part in code for found in re.findall(r"^from (harness[\w.]*) import (.+)$", part, re.MULTILINE)
        ]
        whole += [f"{module}:{name.strip()}" for module, names in imported for name in names.split(",")]
        named |= {(page.name, name) for name in whole if name not in {*GROUPS, *FORMER}}
    assert not sorted(f"{page}: {name}" for page, name in named if not is_there(name))
