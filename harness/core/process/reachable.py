"""The user's own files that a piece of Python code can reach, told from its imports; none of it is run."""

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from glob import escape
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from harness.core.process.loaded import refuse_edited
from harness.core.text.hashing import digest, file_digest

__all__ = ["code_digest", "reachable"]

_HARNESS = Path(__file__).resolve().parents[2]
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = frozenset({*sys.stdlib_module_names, *sys.builtin_module_names, _HARNESS.name})
_DYNAMIC = frozenset(
    {
        "__import__", "exec", "exec_module", "import_module", "iter_modules", "run_module", "run_path",
        "SourceFileLoader", "spec_from_file_location", "walk_packages",
    }
)  # fmt: skip
"""What runs code whose name need not stand in an import."""

_UPWARD = ("parents", "pardir")
_UPWARD_TWICE = ("parent", "dirname")
"""Names that lead out of a module's own folder: those that do so at once, and those that must stand there twice."""

_DEEPEST = 3
"""Folders that a path may lead down or up by names that stand apart."""

_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
_FIELD = re.compile(r"%[sd]|\{\w*\}")
_SUFFIX = re.compile(r"\.\w+")
_PATTERN = re.compile(r".*\.(\w+|\*)")
"""What is filled in or wild and may name files, `*.txt` say, or modules, `rules.*` say; no others."""

_LISTING = frozenset({"glob", "iglob", "iterdir", "listdir", "rglob", "scandir", "walk"})
_LONGEST_NAME = 255


def code_digest(files: Iterable[Path]) -> str:
    """SHA-256 of all that the files can reach, themselves among it: changes with any of it, wherever it lies.

    Raises `TaskError` for a module of them that this process has loaded as it was before an edit.
    """
    found = {file: file_digest(file) for file in reachable(files)}
    refuse_edited(found)
    digests = [[_name(file), sha256] for file, sha256 in found.items()]
    return digests[0][1] if len(digests) == 1 else digest(sorted(digests))


def reachable(files: Iterable[Path]) -> list[Path]:
    """The files, the user's modules that they import, directly or by others, and the files beside them that they name.

    The user's are those that are neither Python's own, nor the harness's, nor installed beside it; of an installed
    plug-in, its own package is. Imports inside functions count, and so do names of files that stand in texts, also in
    parts, with gaps that are filled in or with wildcards. Code that imports by names it makes may reach any module
    beside it; one elsewhere whose name stands nowhere is not seen.
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
    code = _parsed(file.read_bytes())
    folders = _folders(file, code)
    for level, name in code.imports:
        if level <= len(file.parents):
            folder = file.parents[level - 1] if level else file.parent
            yield from _module(folder, name, is_relative=level > 0)
        if not level and code.extends_path:
            yield from (one for folder in folders for one in _below(folder, name.split(".")))
    if code.is_dynamic:
        yield from (one.resolve() for one in file.parent.glob("*.py"))
        for text in filter(_MODULE_NAME.fullmatch, code.texts):
            yield from _module(file.parent, text, is_relative=False)
    named = (path.resolve() for folder in folders for path in _files(folder, code, file))
    yield from dict.fromkeys(path for path in named if os.access(path, os.R_OK))


def _folders(file: Path, code: "_Code") -> list[Path]:
    """The module's folder and those that its texts lead to, down from there or, where it goes up, from above."""
    found = dict.fromkeys([file.parent, *(file.parents[1 : _DEEPEST + 1] if code.goes_up else ())])
    names = {text.strip("/") for text in code.texts if "*" not in text}
    names |= {name.replace(".", "/") for name in names if _MODULE_NAME.fullmatch(name)}
    last = list(found)
    for _ in range(_DEEPEST):
        below = (folder / name for folder in last for name in names)
        last = [folder for folder in below if folder not in found and folder.is_dir()]
        found |= dict.fromkeys(last)
    return list(found)


def _files(folder: Path, code: "_Code", file: Path) -> Iterator[Path]:
    """The files in a folder that the texts of a module name, or all where it lists those of a folder that it names."""
    if code.lists_folders and not file.is_relative_to(folder):
        yield from (path for path in folder.glob("*") if path.is_file())
    for text in code.texts:
        name = text.lstrip("/").replace("**", "*")
        if "*" not in name:
            paths = [folder / name, *([file.with_suffix(name)] if _SUFFIX.fullmatch(name) else [])]
        else:
            modules = [f"{name.replace('.', '/')}.py"] if code.is_dynamic else []
            paths = [path for pattern in (name, *modules) for path in folder.glob(pattern)]
        yield from (path for path in paths if path.is_file())


@dataclass(frozen=True, slots=True)
class _Code:
    """What stands in a module: imports, as level and dotted name, and texts that may name modules or files, a `*` for
    what is filled in; and whether it imports by texts, lists folders, adds to the path of imports, goes up folders.
    """

    imports: tuple[tuple[int, str], ...] = ()
    texts: tuple[str, ...] = ()
    is_dynamic: bool = False
    lists_folders: bool = False
    extends_path: bool = False
    goes_up: bool = False


@lru_cache(maxsize=1024)
def _parsed(content: bytes) -> _Code:
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError):  # it says so where it is run
        return _Code()
    imports: dict[tuple[int, str], None] = {}
    names = [node.id for node in nodes if isinstance(node, ast.Name)]
    names += [node.attr for node in nodes if isinstance(node, ast.Attribute)]
    for node in nodes:
        if isinstance(node, ast.Import):
            imports |= dict.fromkeys((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            before = f"{node.module}." if node.module else ""
            imports |= dict.fromkeys((node.level, f"{before}{alias.name}") for alias in node.names)
            names += [alias.name for alias in node.names]
    said = [text for node in nodes for text in _texts(node)]
    return _Code(
        imports=tuple(imports),
        texts=tuple(dict.fromkeys(filter(_may_name_a_file, said))),
        is_dynamic=not _DYNAMIC.isdisjoint(names),
        lists_folders=not _LISTING.isdisjoint(names),
        extends_path="addsitedir" in names or any(ast.unparse(node) == "sys.path" for node in nodes if _is_path(node)),
        goes_up=".." in said or not {*names}.isdisjoint(_UPWARD) or sum(map(names.count, _UPWARD_TWICE)) > 1,
    )


def _is_path(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "path"


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
        if _FIELD.search(node.value):
            yield _FIELD.sub("*", escape(node.value))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            escape(part.value) if isinstance(part, ast.Constant) and isinstance(part.value, str) else "*"
            for part in node.values
        )


def _may_name_a_file(text: str) -> bool:
    if not text.isprintable() or not text.strip("./*") or text.startswith("~"):
        return False
    return len(text.encode()) <= _LONGEST_NAME and ("*" not in text or bool(_PATTERN.fullmatch(text)))


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
        # Behind `import *` stand the modules that `__all__` may list.
        named = folder.glob("*.py") if part == "*" else (folder / f"{part}.py",)
        modules = (*named, folder / part / "__init__.py", *compiled)
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
