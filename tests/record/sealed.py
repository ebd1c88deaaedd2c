"""A sealed run of several samples, made without any model."""

from harness.core.requests import GenerateUntil, Loglikelihood, Response
from harness.core.scores import Estimate, SampleGroup, Score
from harness.record import RunRecord, RunWriter, load_record
from harness.record.tables import response_row, score_row
from tests.record.test_record import SPEC

CHECKPOINT = {
    "ref": "./model",
    "origin": "folder ./model",
    "architecture": "LlamaForCausalLM",
    "dtype": "float32",
    "parameter_count": 1000,
    "size_bytes": 4000,
    "fingerprint": "f" * 64,
    "files": {"config.json": "a" * 64, "model.safetensors": "b" * 64, "tokenizer.json": "c" * 64},
    "notes": [],
}


def sealed_run(root, *, sample_count=5) -> RunRecord:
    writer = RunWriter(root, SPEC)
    writer.write_json("environment.json", {"started_at": "2026-01-02T03:04:05+00:00", "machine": "x86_64"})
    writer.write_json("checkpoint.json", CHECKPOINT)
    writer.write_json("engine.json", {"accuracy": {"asked_token_count": 9, "computed_token_count": 4}})
    responses, scores = [], []
    for number in range(sample_count):
        asked = [
            Loglikelihood(context=f"Question {number}", continuation=" yes"),
            GenerateUntil(context=f"Question {number}", until=("\n",), max_tokens=4),
        ]
        answers = [
            Response(request_id=asked[0].id, loglikelihood=-1.5 - number, is_greedy=False, token_count=1),
            Response(request_id=asked[1].id, text="中文 =1+1", token_ids=(1, 2, number), token_count=3),
        ]
        writer.append(answers)
        for position, (request, response) in enumerate(zip(asked, answers, strict=True)):
            responses.append(response_row("accuracy", "piqa", str(number), position, request, response))
        score = Score(sample_id=str(number), metric="acc", value=float(number % 2), groups={"sex": "f"})
        scores.append(score_row("accuracy", "piqa", score))
    writer.seal(responses=responses, scores=scores, estimates=estimates(sample_count), measurements=[])
    writer.close()
    return load_record(writer.folder)


def estimates(sample_count):
    common = {"suite": "accuracy", "unit": "share", "direction": "higher", "signature": "model:f|v:1"}
    value = {"value": 0.4, "stderr": 0.1, "low": 0.2, "high": 0.6, "n": sample_count, "interval": "wilson"}
    return [
        Estimate(task="piqa", metric="acc", **common, **value),
        Estimate(task="piqa", metric="acc", group=SampleGroup("sex", "f"), **common, **value),
        Estimate(task="piqa", metric="acc_norm", value=None, n=0, reason="no sample counts for it", **common),
        Estimate(task="overall", metric="accuracy", **common, **value),
    ]
