"""The user's own files that a piece of Python code can reach, told from its imports; none of it is run."""

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from harness.core.hashing import digest, file_digest

__all__ = ["code_digest", "reachable"]

_HARNESS = Path(__file__).resolve().parents[1]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = frozenset({*sys.stdlib_module_names, *sys.builtin_module_names, _HARNESS.name})
_DYNAMIC = frozenset(
    {"__import__", "exec", "exec_module", "import_module", "run_module", "run_path", "spec_from_file_location"}
)
"""What runs code whose name need not stand in an import."""

_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_LONGEST_NAME = 255


def code_digest(files: Iterable[Path]) -> str:
    """SHA-256 of all that the files can reach, themselves among it: changes with any of it, wherever it lies."""
    found = reachable(files)
    digests = [[_name(file), file_digest(file)] for file in found]
    return digests[0][1] if len(digests) == 1 else digest(sorted(digests))


def reachable(files: Iterable[Path]) -> list[Path]:
    """The files, the user's modules that they import, directly or by others, and the files beside them that they name.

    The user's are those that are neither Python's own, nor the harness's, nor installed beside it; of an installed
    plug-in, its own package is. Imports inside functions count, and so do names of files that stand in texts. Code that
    imports by names it makes may reach any module beside it; one elsewhere whose name stands nowhere is not seen.
    """
    roots = [file.resolve() for file in files]
    packages = {_root(file) for file in roots}
    found: dict[Path, None] = {}
    left = list(dict.fromkeys(roots))
    while left:
        file = left.pop()
        found[file] = None
        if file.suffix == ".py" and not file.is_relative_to(_HARNESS):
            left += {one for one in _named(file) if one not in found and _is_users(one, packages)}.difference(left)
    return sorted(found)


def _is_users(file: Path, packages: set[Path]) -> bool:
    return not file.is_relative_to(_HARNESS) and (not _INSTALLED & {*file.parts} or _root(file) in packages)


def _root(file: Path) -> Path:
    """The folder of the topmost package that a module is in; the file itself where it is in none."""
    top = file
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return top


def _name(file: Path) -> str:
    """A module's place in its package, which is the same wherever the package lies."""
    return file.relative_to(_root(file).parent).as_posix()


def _named(file: Path) -> Iterator[Path]:
    """What a module imports and names, and the packages that it is in."""
    yield from (folder / "__init__.py" for folder in file.parents if (folder / "__init__.py").is_file())
    imports, texts, is_dynamic = _parsed(file.read_bytes())
    for level, name in imports:
        folder = file.parents[level - 1] if level else file.parent
        yield from _module(folder, name, is_relative=level > 0)
    if is_dynamic:
        yield from (one.resolve() for one in file.parent.glob("*.py"))
        for text in filter(_MODULE_NAME.fullmatch, texts):
            yield from _module(file.parent, text, is_relative=False)
    # A file may be named by its folder and its name apart.
    folders = [file.parent, *(file.parent / text for text in texts if (file.parent / text).is_dir())]
    named = {path.resolve() for folder in folders for text in texts if (path := folder / text).is_file()}
    yield from (path for path in named if os.access(path, os.R_OK))


@lru_cache(maxsize=1024)
def _parsed(content: bytes) -> tuple[tuple[tuple[int, str], ...], tuple[str, ...], bool]:
    """Imports, as level and dotted name; texts that may name a module or a file; and whether a text may be imported."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError):  # it says so where it is run
        return (), (), False
    imports: dict[tuple[int, str], None] = {}
    texts: dict[str, None] = {}
    is_dynamic = False
    for node in nodes:
        if isinstance(node, ast.Import):
            imports |= dict.fromkeys((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            before = f"{node.module}." if node.module else ""
            imports |= dict.fromkeys((node.level, f"{before}{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _may_name_a_file(node.value):
                texts[node.value] = None
        elif isinstance(node, ast.Name | ast.Attribute):
            is_dynamic |= (node.id if isinstance(node, ast.Name) else node.attr) in _DYNAMIC
    return tuple(imports), tuple(texts), is_dynamic


def _may_name_a_file(text: str) -> bool:
    if not text.isprintable() or not text.strip("./") or text.startswith(("/", "~")):
        return False
    return len(text.encode()) <= _LONGEST_NAME


def _module(folder: Path, name: str, *, is_relative: bool) -> Iterator[Path]:
    """The files of the module `a.b` and of the packages above it, as found beside the importer and on the path."""
    parts = name.split(".")
    yield from _below(folder, parts)
    if is_relative or parts[0] in _STANDARD | _dependencies():
        return
    try:
        spec = importlib.util.find_spec(parts[0])
    except (ImportError, ValueError, AttributeError):  # of a finder that others put there, or a module without a spec
        return
    if spec is None:
        return
    if spec.has_location and spec.origin:
        yield Path(spec.origin).resolve()
    for place in spec.submodule_search_locations or ():
        yield from _below(Path(place), parts[1:])


def _below(folder: Path, parts: list[str]) -> Iterator[Path]:
    for part in parts:
        compiled = folder.glob(f"{part}.*.so") if part.isidentifier() else ()
        modules = (folder / f"{part}.py", folder / part / "__init__.py", *compiled)
        yield from (one.resolve() for one in modules if one.is_file())
        folder /= part


@cache
def _dependencies() -> frozenset[str]:
    """Names of what the harness stands on, which a run's spec has by version or not at all."""
    try:
        listed = requires("responsible-eval-harness") or []
    except PackageNotFoundError:
        return frozenset()
    return frozenset(re.split(r"[^\w.-]", one, maxsplit=1)[0].replace("-", "_").lower() for one in listed)
