"""The PDF, opened with a PDF library: what is inside, and that it stands up to strange texts."""

import io
import re

import pikepdf
import pypdf
import pytest

from harness.core.errors import RecordError, UnavailableError
from harness.record import RunRecord
from harness.report import attachments, to_pdf
from harness.report.blocks import Code, Column, Document, Paragraph, Section, Table
from tests.report.conftest import HOSTILE, document_of


@pytest.fixture(scope="module")
def made(document: Document, hostile_run: RunRecord) -> bytes:
    return to_pdf(document, attachments=attachments(hostile_run.folder))


@pytest.fixture(scope="module")
def opened(made: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(made))


def text_of(content: bytes) -> str:
    """The text as a reader copies it out, without the places to break long words at."""
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).replace("\u200b", "")


def test_it_says_that_it_is_archivable_and_accessible(opened: pikepdf.Pdf) -> None:
    metadata = opened.open_metadata()
    assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
    assert metadata["pdfuaid:part"] == "1"


def test_it_is_tagged_and_has_a_language_and_a_title(opened: pikepdf.Pdf) -> None:
    assert opened.Root.MarkInfo.Marked
    assert str(opened.Root.Lang) == "en"
    assert "model #1" in str(opened.docinfo["/Title"])
    kinds = {str(node.S) for node in _nodes(opened.Root.StructTreeRoot)}
    assert {"/H1", "/Table", "/TH", "/TD", "/P"} <= kinds


def test_every_font_is_embedded(opened: pikepdf.Pdf) -> None:
    descriptors = [thing for thing in opened.objects if _type(thing) == "/FontDescriptor"]
    assert descriptors
    assert all({"/FontFile2", "/FontFile3"} & set(one.keys()) for one in descriptors)


def test_the_seal_travels_inside(opened: pikepdf.Pdf, hostile_run: RunRecord) -> None:
    attached = opened.attachments["seal.json"].get_file().read_bytes()
    assert attached == (hostile_run.folder / "seal.json").read_bytes()
    assert set(opened.attachments) >= {"seal.json", "spec.json", "estimates.json"}


def test_two_builds_are_equal_byte_for_byte(made: bytes, hostile_run: RunRecord) -> None:
    assert to_pdf(document_of(hostile_run), attachments=attachments(hostile_run.folder)) == made


def test_every_section_is_there_with_strange_texts_as_texts(made: bytes, document: Document) -> None:
    text = text_of(made)
    flat = re.sub(r"\s+", "", text)
    for section in document.sections:
        assert re.sub(r"\s+", "", section.title) in flat
    assert "model#1*x*<b>" in flat
    assert "Thegatestrictsays" in flat
    assert "Org&Co." in flat


def test_hostile_texts_survive_as_texts_wherever_they_stand() -> None:
    table = Table(caption="t", columns=[Column(title="c")], rows=[[text] for text in HOSTILE.values()])
    blocks = [block for text in HOSTILE.values() for block in (Paragraph(text=text), Code(text=text))]
    document = Document(
        title=HOSTILE["markup"],
        subtitle=HOSTILE["direction"],
        language="en",
        date=(2026, 11, 25),
        sections=[Section(title=HOSTILE["emoji"], blocks=[table, *blocks])],
    )
    flat = re.sub(r"\s+", "", text_of(to_pdf(document)))
    for told in (
        '#panic("typst")$x$*bold*_it_@ref<label>`raw`[link](http://x)<script>',
        "flagU+1F1E9U+1F1EA",
        "abcU+202Edef",
    ):
        assert flat.count(told) >= 3
    assert flat.count("W") == 3 * 10_000
    assert "bellU+0007andescapeU+001B" in flat


def test_letter_paper_is_another_size(document: Document, opened: pikepdf.Pdf) -> None:
    letter = pikepdf.open(io.BytesIO(to_pdf(document, paper="us-letter")))
    assert [round(float(edge)) for edge in letter.pages[0].mediabox][2:] == [612, 792]
    assert [round(float(edge)) for edge in opened.pages[0].mediabox][2:] == [595, 842]


def test_a_typesetter_that_fails_leaves_one_clear_error(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.report.pdf.sys.executable", "/bin/false")
    with pytest.raises(RecordError, match="could not be typeset"):
        to_pdf(document)


def test_without_a_font_for_chinese_it_says_what_to_install(
    hostile_run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.fonts.find_spec", lambda _name: None)
    monkeypatch.setattr("harness.report.fonts._FOLDERS", ())
    with pytest.raises(UnavailableError, match="pip install"):
        to_pdf(document_of(hostile_run, "zh"))


def _type(thing: object) -> str:
    return str(thing.get("/Type", "")) if isinstance(thing, pikepdf.Dictionary) else ""


def _nodes(root: pikepdf.Object) -> list[pikepdf.Dictionary]:
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting += list(node)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.append(node)
            if "/K" in node:
                waiting.append(node["/K"])
    return found
