"""What we stand on: every dependency is used, pinned, and of a licence that we may build on. Needs no network."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DIRECT = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
OPTIONAL = [Requirement(line) for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
CODE = ("harness", "suites", "probes", "leaderboard")
INDIRECT = {"pip": "the default model is fetched by `python -m pip`"}
"""Dependencies that no import of ours names, and what they are for."""
APART = {"vllm": "pins torch and transformers by itself, so it lives in an environment of its own"}
"""Optional dependencies that ours can't be pinned beside."""

ALLOWED = re.compile(
    r"""(3-Clause\ )?BSD(\ License|-[23]-Clause)?|0BSD|Apache[- ](Software\ License|2\.0(\ License)?|License\ 2\.0)
    |(The\ )?MIT(\ License(\ \(MIT\))?|-0|-CMU)?|ISC(\ License\ \(ISCL\))?
    |PSF-2\.0|Python\ Software\ Foundation\ License
    |MPL-2\.0|Mozilla\ Public\ License\ 2\.0\ \(MPL\ 2\.0\)|BSL-1\.0|Zlib|CC0-1\.0|CNRI-Python
    |Apache-2\.0\ WITH\ LLVM-exception""",
    re.VERBOSE,
)
"""Licences that ask for no more than to be named, or for changes to their own files (MPL)."""
WEAK_COPYLEFT = {
    "chardet": "LGPL; a library of lm-eval's, used as it is published and as a whole",
    "pycountry": "LGPL; a library of lm-eval's and codecarbon's, used as it is published and as a whole",
}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {canonicalize_name(one.name): str(one.specifier) for one in found}


def imported() -> set[str]:
    """The first names of every module that our code imports or names in a text, as `find_spec` and others take it."""
    found: set[str] = set()
    for path in (path for package in CODE for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Import(names=names):
                    found |= {name.name.partition(".")[0] for name in names}
                case ast.ImportFrom(module=str(module), level=0):
                    found.add(module.partition(".")[0])
                case ast.Constant(value=str(text)) if text.isidentifier():
                    found.add(text)
    return found


def test_every_dependency_is_imported_somewhere() -> None:
    modules: dict[str, set[str]] = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(canonicalize_name(name), set()).add(module)
    used = imported()
    unused = {one.name for one in DIRECT if not modules.get(canonicalize_name(one.name), set()) & used}
    assert unused == INDIRECT.keys()


@pytest.mark.parametrize("requirement", [one for one in (*DIRECT, *OPTIONAL) if one.name not in APART], ids=str)
def test_every_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    pin = pins()[canonicalize_name(requirement.name)]
    assert pin.startswith("==")
    assert requirement.specifier.contains(pin.removeprefix("=="), prereleases=True)


@cache
def installed() -> dict[str, Distribution]:
    """Every distribution that a plain installation brings, by name."""
    found: dict[str, Distribution] = {}
    left = [(one.name, frozenset(one.extras)) for one in DIRECT]
    done = set()
    while left:
        name, extras = left.pop()
        if (name, extras) in done:
            continue
        done.add((name, extras))
        try:
            found[canonicalize_name(name)] = distribution(name)
        except PackageNotFoundError:
            pytest.fail(f"{name} is not installed")
        for line in found[canonicalize_name(name)].requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                left.append((needed.name, frozenset(needed.extras)))
    return found


def licences(one: Distribution) -> Iterator[str]:
    """The licences that a distribution names: by SPDX, else by its classifiers, else in its own words."""
    lines = one.metadata.get_all("Classifier", [])
    classified = [line.rpartition(":: ")[2] for line in lines if line.startswith("License ::")]
    if classified == ["Other/Proprietary License"]:  # a classifier for whoever found no other: its text says which
        classified = [next(filter(None, (one.read_text("LICENSE") or "none").splitlines()))]
    told = one.metadata.get("License-Expression") or " AND ".join(classified) or one.metadata.get("License") or "none"
    yield from re.split(r" (?:AND|OR) ", told.splitlines()[0])


def test_everything_that_is_installed_is_pinned() -> None:
    pinned = pins()
    assert not sorted(f"{name}=={one.version}" for name, one in installed().items() if name not in pinned)


def test_every_licence_is_one_that_we_may_build_on() -> None:
    refused = {
        name: stated
        for name, one in installed().items()
        for stated in licences(one)
        if not ALLOWED.fullmatch(stated) and name not in WEAK_COPYLEFT
    }
    assert not refused
    assert WEAK_COPYLEFT.keys() <= installed().keys()
