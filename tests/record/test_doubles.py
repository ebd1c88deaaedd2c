"""Numbers of any size go through all that reads and writes a run: seal, checks, signature, exports."""

import csv
import json
from dataclasses import replace

import pytest

from harness.core.scores import Estimate
from harness.decision.verdicts import RuleVerdict, Verdict, read_verdicts, write_verdict
from harness.publishing import export, model_card
from harness.record import RunWriter, load_record
from harness.record.changes import changes
from harness.record.tables import response_row, score_row
from harness.signing import attest_run, load_public_key, load_signing_key, new_keys, prove, verify_proof, verify_run
from tests.record.sealed import CHECKPOINT
from tests.record.test_record import REQUEST, RESPONSE, SCORE, SPEC

NUMBERS = (0.0, -0.0, 1.0, 5e-324, 0.1, 2.0**53, 1e16, 8.083e20, 999999999999999900000.0, 1e21, 1.7976931348623157e308)


def sealed(root):
    """A run with an estimate and a score of each number; the answers have them too."""
    writer = RunWriter(root, SPEC)
    writer.write_json("environment.json", {"started_at": "2026-01-02T03:04:05+00:00"})
    writer.write_json("checkpoint.json", CHECKPOINT)
    writer.write_json("engine.json", {"accuracy": {"asked_token_count": 9, "computed_token_count": 4}})
    answers = [replace(RESPONSE, request_id=f"{at}", loglikelihood=-one) for at, one in enumerate(NUMBERS)]
    writer.append(answers)
    record = writer.seal(
        responses=[response_row("accuracy", "piqa", one.request_id, 0, REQUEST, one) for one in answers],
        scores=[
            score_row("accuracy", "piqa", replace(SCORE, sample_id=f"{at}", value=one, weight=one))
            for at, one in enumerate(NUMBERS)
        ],
        estimates=[estimate(at) for at in range(len(NUMBERS))],
        measurements=[],
    )
    assert [one.loglikelihood for one in writer.responses.values()] == [-one for one in NUMBERS]
    writer.close()
    return record


def estimate(at):
    one = NUMBERS[at]
    return Estimate(
        suite="accuracy",
        task=f"t{at}",
        metric="perplexity",
        value=one,
        stderr=one,
        low=-one,
        high=one,
        n=1,
        unit="per word",
        target=one,
        signature="s",
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return sealed(tmp_path_factory.mktemp("runs"))


def test_a_record_gives_them_back_as_they_were(record):
    assert load_record(record.folder).estimate_list == [estimate(at) for at in range(len(NUMBERS))]
    assert record.estimates["value"].tolist() == list(NUMBERS)
    assert record.scores["value"].tolist() == list(NUMBERS)
    assert record.samples["loglikelihood"].tolist() == [-one for one in NUMBERS]


def test_the_seal_holds_and_the_journal_is_gone_on_with(record):
    assert changes(record.folder) == []
    writer = RunWriter(record.folder.parent, SPEC)
    assert [one.loglikelihood for one in writer.responses.values()] == [-one for one in NUMBERS]
    writer.close()


def test_a_change_of_one_is_named(tmp_path):
    record = sealed(tmp_path)
    path = record.folder / "estimates.json"
    path.write_bytes(path.read_bytes().replace(b"808300000000000000000", b"708300000000000000000"))
    assert [(one.file, one.parts) for one in changes(record.folder)] == [
        ("estimates.json", (f"row {NUMBERS.index(8.083e20) + 1} (accuracy/t{NUMBERS.index(8.083e20)}/perplexity)",))
    ]


def test_signature_verdict_and_proof_hold(record, tmp_path):
    private, public, _ = new_keys(tmp_path)
    rule = RuleVerdict(
        rule="r",
        kind="ceiling",
        severity="warn",
        suite="s",
        task="t",
        metric="m",
        verdict="PASS",
        value=1e20,
        bound=1e21,
    )
    verdict = Verdict(
        run_id=record.run_id,
        baseline_run_id=None,
        policy="p",
        policy_sha256="d" * 64,
        decided_at="2026-01-02T03:04:05+00:00",
        verdict="PASS",
        rules=(rule,),
    )
    write_verdict(record.folder, verdict)
    assert read_verdicts(record.folder) == [verdict]
    attest_run(record, load_signing_key(private))
    assert verify_run(record.folder, load_public_key(public)).ok
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps(prove(record, f"piqa/{NUMBERS.index(1e16)}")))
    assert verify_proof(proof, load_public_key(public)).ok


def test_others_read_them(record, tmp_path):
    named = {f"t{at}": one for at, one in enumerate(NUMBERS)}
    table = list(csv.DictReader(export(record, "csv", tmp_path / "a.csv").open(newline="")))
    assert {row["task"]: float(row["value"]) for row in table} == named
    as_lm_eval = json.loads(export(record, "lm-eval", tmp_path / "b.json").read_text())["results"]
    assert {name: row["perplexity,none"] for name, row in as_lm_eval.items()} == named
    every = json.loads(export(record, "every-eval-ever", tmp_path / "c.json").read_text())["evaluation_results"]
    assert [one["score_details"]["score"] for one in every] == list(NUMBERS)
    metrics = export(record, "mlflow", tmp_path / "d") / "metrics" / "accuracy"
    assert {path.parent.name: float(path.read_text().split()[1]) for path in metrics.glob("*/perplexity")} == named
    model_card(record).save(tmp_path / "README.md")
    assert "8.083e+20" in (tmp_path / "README.md").read_text()
