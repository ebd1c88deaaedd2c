"""Forms that are filled from a record: what it holds, and nothing that it doesn't."""

from pathlib import Path

import pytest

import harness.report.forms
from harness.core.text.yamlfile import read_yaml
from harness.record import RunRecord
from harness.report import LANGUAGES, ReportContext, Statements, Words, to_markdown, to_pdf
from harness.report.blocks import Bullets, Document, Paragraph
from harness.report.forms import FORMS, filled_form
from tests.report.conftest import verdict_on

FOLDER = Path(harness.report.forms.__file__).parent


def filled(form: str, run: RunRecord, language: str = "en", **more: object) -> Document:
    (said,) = (one for one in LANGUAGES if one == language)
    return filled_form(form, ReportContext(record=run, words=Words(said), **more))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_every_question_is_answered_from_the_record_or_left_to_people(
    form: str, language: str, hostile_run: RunRecord
) -> None:
    document = filled(form, hostile_run, language)
    left = Words(document.language)("[to be completed]")
    answered = open_ = 0
    for section in document.sections[1:]:
        for asked, answer in zip(section.blocks, section.blocks[1:], strict=False):
            if isinstance(asked, Paragraph) and asked.strong:
                answered += isinstance(answer, Bullets)
                open_ += isinstance(answer, Paragraph) and answer.text == left
    assert answered >= 3
    assert open_ >= 3
    first = document.sections[0].blocks[0]
    assert isinstance(first, Paragraph)
    assert str(answered) in first.text
    assert str(answered + open_) in first.text
    assert hostile_run.spec.fingerprint in to_markdown(document)


def test_what_people_say_and_what_a_gate_said_stand_in_the_form(hostile_run: RunRecord) -> None:
    bare = to_markdown(filled("annex-iv", hostile_run))
    said = Statements(intended_use="Sorting letters", organisation="Example Ltd", signer="A. Person")
    full = to_markdown(filled("annex-iv", hostile_run, statements=said, verdicts=[verdict_on(hostile_run)]))
    for words in ("Sorting letters", "Example Ltd", "The gate"):
        assert words in full
        assert words not in bare
    assert bare.count(hostile_run.spec.fingerprint) == 1
    assert "Told under “1(a)”." in bare.replace("\\", "")
    assert "--signer" in bare.replace("\\", "")
    assert "--signer" not in full.replace("\\", "")


def test_no_comma_cuts_what_a_form_says() -> None:
    for form in FORMS:
        asked = read_yaml(FOLDER / f"{form}.yaml")
        texts = [asked["title"], asked["source"], *(part["title"] for part in asked["parts"])]
        assert all(set(one) == {"en", "zh"} for one in texts)
        items = [item for part in asked["parts"] for item in part["items"]]
        assert all({"number", "en", "zh"} <= set(one) <= {"number", "en", "zh", "from", "partly"} for one in items)


def test_a_form_is_set_without_an_empty_page(hostile_run: RunRecord) -> None:
    assert to_pdf(filled("iso-42001", hostile_run)).startswith(b"%PDF")
