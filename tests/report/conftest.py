"""A sealed run of a tiny model on texts that try to break a page, and its document."""

import json

import pytest

import harness
from harness.decision.verdicts import RuleVerdict, Verdict
from harness.record import RunRecord
from harness.report import ReportContext, Statements, Words, build_document
from harness.report.blocks import Document
from tests.tiny import build_tiny_checkpoint

HOSTILE = {
    "markup": '#panic("typst") $x$ *bold* _it_ @ref <label> `raw` [link](http://x) <script>alert(1)</script> | cell',
    "emoji": "a smile 😀 and a flag 🇩🇪",
    "direction": "abc\u202edef\u2066ghi",
    "endless": "W" * 10_000,
    "chinese": "请告诉我们，这个模型有多好？",
    "controls": "bell\x07 and escape\x1b",
}
SUITE = """
name: hostile
description: Texts that try to break a page.
tasks:
  - name: strange
    type: multiple_choice
    data: strange.jsonl
    prompt: "{question}\\nAnswer:"
    choices: ["yes", "no"]
    gold: gold
    metrics: [acc]
"""


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = tmp_path_factory.mktemp("report")
    rows = [{"question": text, "gold": "yes"} for text in HOSTILE.values()]
    (folder / "strange.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "hostile.yaml").write_text(SUITE)
    model = build_tiny_checkpoint(folder / "model #1 *x* <b>")
    options = harness.EvalOptions(output=folder / "runs", meter="none")
    return harness.evaluate(str(model), suite=str(folder / "hostile.yaml"), options=options)


def verdict_on(run: RunRecord) -> Verdict:
    rule = RuleVerdict(
        rule="right answers",
        kind="floor",
        severity="block",
        suite="hostile",
        task="strange",
        metric="acc",
        verdict="FAIL",
        value=0.5,
        low=0.2,
        high=0.8,
        bound=0.9,
        n=6,
        reason="0.5 is below 0.9, and so is all of its interval",
    )
    return Verdict(
        run_id=run.run_id,
        baseline_run_id=None,
        policy="strict",
        policy_sha256="a" * 64,
        decided_at="2026-11-25T10:00:00+00:00",
        verdict="FAIL",
        rules=(rule,),
    )


def document_of(run: RunRecord, language: str = "en") -> Document:
    said = Statements(intended_use="Tests alone", signer="A. Tester", organisation="Org & Co.")
    words = Words(language)  # type: ignore[arg-type]
    return build_document(ReportContext(record=run, words=words, verdicts=[verdict_on(run)], statements=said))


@pytest.fixture(scope="session")
def document(hostile_run: RunRecord) -> Document:
    return document_of(hostile_run)
