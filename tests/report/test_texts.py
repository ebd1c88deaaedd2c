"""Glyphs, Markdown and HTML: texts of strangers stay texts; and the words of a report in Chinese."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import harness
import harness.report
import leaderboard
import probes
import suites
from harness.core import registry
from harness.core.text.markdown import plain
from harness.core.text.reasons import Reason
from harness.data.builtin import BUILTIN
from harness.decision.telling.sentences import Edges, both, how_it_stands, together
from harness.metrics.written import WRITTEN, of_draws
from harness.record import RunRecord
from harness.report import Words, to_html, to_markdown
from harness.report.blocks import Document
from harness.report.fonts import font_files
from harness.report.glyphs import LONGEST_WORD, Glyphs
from tests.report.conftest import document_of

GLYPHS = Glyphs(font_files()[:3])


def test_what_has_no_glyph_is_named_by_its_number() -> None:
    assert GLYPHS.fit("a🦖b") == "aU+1F996b"
    assert GLYPHS.fit("x\u202ey\x00z") == "xU+202EyU+0000z"
    assert GLYPHS.fit("tab\there\r\nline") == "tab    here\nline"


@given(st.text())
def test_no_text_holds_what_a_page_cannot_show(text: str) -> None:
    fitted = GLYPHS.fit(text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", fitted)
    assert all(len(word) <= LONGEST_WORD for word in re.split(r"[ \n\u200b]", fitted))
    assert GLYPHS.fit(text) == fitted


@given(st.text())
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    (paragraph,) = [token for token in MarkdownIt().parse("x " + plain(text)) if token.type == "inline"]
    assert {child.type for child in paragraph.children or ()} <= {"text", "text_special"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}


def test_html_has_no_script_and_fetches_nothing(document: Document) -> None:
    page = to_html(document)
    parser = _Tags()
    parser.feed(page)
    assert not parser.seen & {"script", "iframe", "link", "object", "onclick", "onerror", "b"}
    assert "&lt;b&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_html_and_markdown_hold_every_section(document: Document) -> None:
    page, text = to_html(document), to_markdown(document)
    for section in document.sections:
        assert f">{section.title}<" in page or section.title.replace("'", "&#39;") in page
        assert plain(section.title) in text
    assert "Its choices, the likeliest first" in text
    assert re.search(r"\| 0\.5000 (better|worse|can't tell) \|", text)
    assert "| ↑ 1 |" in text
    assert "of 1 rules 0 hold, 1 fail" in text
    assert "| ≥ 0.9000 |" in text
    assert "| log\\-likelihood |" in text
    assert re.search(r"\| (answered, )?expected \| yes \|", text)


def test_chinese_has_a_word_for_everything_that_is_said() -> None:
    """All sentences that are written in the code are keys of the catalogue."""
    words, missing = Words("zh"), []
    for path in Path(harness.report.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name == "words" and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant):
                sentence = str(node.args[0].value)
                missing += [sentence] if words._said(sentence) == sentence else []
    assert missing == []


def test_a_report_in_chinese_speaks_it(hostile_run: RunRecord) -> None:
    document = document_of(hostile_run, "zh")
    assert [section.title for section in document.sections][:3] == ["摘要", "评测对象", "预期用途与责任"]
    assert "准入判定（策略 strict）：未通过。共 1 条规则：0 条成立，1 条不成立，0 条无法判定。" in to_markdown(document)


def test_definitions_in_chinese_are_of_what_is_defined_today() -> None:
    """A definition whose English text was changed must be said anew; most metrics of the suites are."""
    catalogue = Path(harness.report.__file__).parent / "definitions" / "locale" / "zh.yaml"
    said = set(yaml.safe_load(catalogue.read_text(encoding="utf-8")))
    tasks = [registry.task(name) for name in registry.names("harness.tasks")]
    offered = [*WRITTEN, *of_draws(2)]
    metrics = [*(metric for task in tasks for metric in task.metrics), *offered]
    defined = {" ".join(metric.meaning.split()) for metric in metrics}
    suites = [registry.suite(name) for name in registry.names("harness.suites")]
    purposes = {" ".join((type(suite).__doc__ or "").partition("\n\n")[0].split()) for suite in suites}
    derived = {text for suite in suites for text in suite.derived.values()}
    further = {
        " ".join(metric.meaning.split())
        for suite in suites
        for _, several in suite.further_metrics()
        for metric in several
    }
    assert said - defined - purposes - derived - further == set()
    assert purposes | derived <= said
    assert defined <= said


_REPORT = Path(harness.report.__file__).parent
_CATALOGUES = [_REPORT, _REPORT / "reasons", *(path.parent for path in Path(suites.__path__[0]).glob("*/locale"))]


@pytest.mark.parametrize("folder", _CATALOGUES, ids=lambda folder: folder.name)
def test_places_of_both_languages_are_the_same(folder: Path) -> None:
    catalogue = (folder / "locale" / "zh.yaml").read_text(encoding="utf-8")
    for english, said in yaml.safe_load(catalogue).items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", said)), english


def test_a_reason_is_said_in_chinese_down_to_its_parts() -> None:
    said = Words("zh").reason
    found = how_it_stands("beyond", -0.4, -0.1, Edges(floor=-0.02), change=True)
    reason = together(found, both(0.5, 0.25), Reason("too few samples: {groups}", groups="sex=female"))
    english = (
        "Broken: the likely change -0.4000 to -0.1000 lies below the limit -0.0200. 0.2500 against 0.5000. "
        "too few samples: sex=female"
    )
    assert (reason, Words("en").reason(reason)) == (english, english)
    assert said(reason) == (
        "不成立：可能变化为 -0.4000 至 -0.1000，低于限值 -0.0200。本次 0.2500，基线 0.5000。样本过少：sex=female"
    )
    assert said("as read") == "按读数"
    assert said("a plug-in says this") == "a plug-in says this"


def test_every_reason_can_be_said_in_chinese_and_none_is_translated_that_nobody_gives() -> None:
    """Templates of reasons, and reasons that are written in one piece; those of a suite in its own catalogue."""
    shared = _catalogue(Path(harness.report.__file__).parent / "reasons")
    packages = {Path(harness.__file__).parent: shared, Path(probes.__file__).parent: shared}
    packages[Path(leaderboard.__file__).parent] = shared
    for folder in (path.parent for path in Path(suites.__path__[0]).glob("*/locale")):
        packages[folder] = shared | _catalogue(folder)
    written: set[str] = set()
    for package, said in packages.items():
        trees = [ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")]
        nodes = [node for tree in trees for node in ast.walk(tree)]
        written |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert {text for node in nodes for text in _reasons(node)} - said == set(), package
    assert shared - written == set()


def _catalogue(folder: Path) -> set[str]:
    return set(yaml.safe_load((folder / "locale" / "zh.yaml").read_text(encoding="utf-8")))


def _reasons(node: ast.AST) -> Iterator[str]:
    """Texts that become a reason here; one put together from others than a template is told as it stands there."""
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "id", "")
    given = node.args[:1] if name in ("Reason", "Undefined", "Unusable") else []
    if name in ("Contrast", "Estimate", "Response", "RuleResult", "Score", "_Sum", "Window", "replace"):
        given += [one.value for one in node.keywords if one.arg in ("reason", "invalid")]
    for value in given:
        for part in value.values if isinstance(value, ast.BoolOp) else [value]:
            if isinstance(part, ast.Constant) and part.value:
                yield part.value
            if isinstance(part, ast.JoinedStr):
                yield ast.unparse(part)


_ROOT = Path(__file__).parents[2]
_ALL_CATALOGUES = [
    path
    for top in ("harness", "leaderboard", "suites")
    for path in (_ROOT / top).rglob("locale/zh.yaml")
    if path.parts[-3] != "groups"  # into which data group samples: "Chinese" are people there, and a dimension here
]
COUNTS = {"samples", "groups", "tokens", "severity", "accuracy", "run"}
"""What heads a column of counts in one place and names the things in another; the severity of noise, and of a rule;
a dimension, and the share of right answers; a run, and what the whole of it took."""


def test_an_english_word_has_one_chinese_word() -> None:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for path in _ALL_CATALOGUES:
        for english, chinese in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            said[english.lower()].add(chinese)
    assert len(_ALL_CATALOGUES) > 20
    assert {english for english, several in said.items() if len(several) > 1} == COUNTS


def test_data_are_told_in_chinese_down_to_what_their_copies_lack() -> None:
    catalogue = yaml.safe_load((_REPORT / "datasets" / "locale" / "zh.yaml").read_text(encoding="utf-8"))
    told = {one.title for one in BUILTIN} | {one.dropped for one in BUILTIN if one.dropped}
    assert told <= set(catalogue)
    assert set(catalogue) <= told | {one.licence for one in BUILTIN}
