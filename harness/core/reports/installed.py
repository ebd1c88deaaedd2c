"""What an installed suite brings to the places where people read; of one that isn't installed, what any suite does."""

import inspect
import logging
from functools import cache
from importlib import import_module
from pathlib import Path

from harness.core import registry
from harness.core.errors import PluginError, UnknownName
from harness.core.reports import SuiteReport
from harness.core.tasks import Suite
from harness.core.text.translation import Translate, translator

__all__ = ["catalogue_folder", "known_suite", "suite_report", "suite_reports", "suite_title", "suite_words"]

_log = logging.getLogger(__name__)


@cache
def known_suite(name: str) -> Suite | None:
    """The suite of that name; None where it isn't installed, as with a record of somebody else.

    One that can't be imported is as one that isn't installed, with a warning: scores can be read without it.
    """
    try:
        return registry.suite(name)
    except UnknownName:
        return None
    except PluginError as error:
        _log.warning("%s", error)
        return None


@cache
def suite_report(name: str) -> SuiteReport:
    """What the suite brings; nothing where it isn't installed.

    Raises `PluginError` for one that can't be imported: without its worries a report would look better than it is.
    """
    try:
        suite = registry.suite(name)
    except UnknownName:
        return SuiteReport()
    if suite.report is None:
        return SuiteReport()
    module, _, attribute = suite.report.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"its report can't be imported from {suite.report}: {error}",
            place=name,
            fix="Fix or uninstall the package that registers the suite",
        ) from error
    if not (isinstance(found, type) and issubclass(found, SuiteReport)):
        raise PluginError(
            f"{suite.report} is not a subclass of {SuiteReport.__module__}.{SuiteReport.__name__}",
            place=name,
            fix="Fix or uninstall the package that registers the suite",
        )
    return found()


def suite_reports() -> dict[str, SuiteReport]:
    """What each installed suite brings, by its name, in the order in which lists tell them."""
    found = {name: suite_report(name) for name in registry.names("harness.suites")}
    return dict(sorted(found.items(), key=lambda one: (one[1].order, one[0])))


def catalogue_folder(name: str) -> Path | None:
    """The folder of the suite's module, beside which its words are: `locale/LANGUAGE.yaml`; None without the suite."""
    suite = known_suite(name)
    return None if suite is None else Path(inspect.getfile(type(suite))).parent


@cache
def suite_words(language: str) -> tuple[Translate, ...]:
    """What each installed suite says in a language."""
    folders = map(catalogue_folder, registry.names("harness.suites"))
    return tuple(translator(folder, language) for folder in folders if folder is not None)


def suite_title(name: str, language: str = "en") -> str:
    """What people call a suite, in a language; its name where it isn't installed or has no title."""
    suite, folder = known_suite(name), catalogue_folder(name)
    if suite is None or folder is None or not suite.title:
        return name
    return translator(folder, language)(suite.title)
