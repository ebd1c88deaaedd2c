"""Numbers that are none: samples are invalid with their reason, never right or wrong, and a gate says ERROR."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from harness.decision.verdicts import read_verdicts
from harness.record import load_record
from tests.faults.conftest import Place, Tally, new_place
from tests.tiny import build_tiny_checkpoint

HUGE = 3e38
"""A finite weight, which no inspection of the weights can find fault with; what it is multiplied with overflows."""

POLICY = """
format: 1
name: any
smallest_n: 1
rules:
  - {suite: mine, task: foxes, metric: acc, kind: floor, bound: 0.0}
"""


@pytest.fixture
def model(tmp_path):
    return build_tiny_checkpoint(tmp_path / "model")


def spoil(model, change) -> None:
    path = model / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def a_place(tmp_path, model, start_process) -> Place:
    return new_place(tmp_path / "place", model, start_process)


def everywhere(tensors) -> None:
    tensors["lm_head.weight"].fill_(HUGE)


def in_one_layer(tensors) -> None:
    tensors["model.layers.1.mlp.down_proj.weight"].fill_(HUGE)
    tensors["model.layers.1.mlp.up_proj.weight"].fill_(HUGE)


@pytest.mark.parametrize("change", [everywhere, in_one_layer])
def test_a_model_without_numbers_has_no_score(tmp_path, model, start_process, tally: Tally, change):
    spoil(model, change)
    place = a_place(tmp_path, model, start_process)
    ended = place.run()
    assert ended.exit_code == 3, ended.err
    record = load_record(place.record)
    assert record.estimates["value"].isna().all()
    assert (record.estimates["invalid_count"] > 0).all()
    assert record.estimates["reason"].str.contains("NaN or infinite").all()
    assert record.scores["invalid"].str.contains("NaN or infinite").all()
    assert record.scores["value"].isna().all()
    assert "could be used" in ended.out
    gated(place, start_process, "ERROR")
    tally.add(f"NaN or infinite logits {change.__name__.replace('_', ' ')}", survived=True)


def test_one_sample_without_numbers_is_counted_and_the_others_are_scored(
    tmp_path, model, start_process, undisturbed, tally: Tally
):
    """Only the token of "7" is read by the weight that overflows: the question that has it is the one at fault."""
    token = AutoTokenizer.from_pretrained(model)("7", add_special_tokens=False)["input_ids"]
    assert len(token) == 1

    def change(tensors) -> None:
        embeddings = tensors["model.embed_tokens.weight"]
        embeddings[:, 0] = 0.0
        embeddings[token[0], 0] = 10.0
        tensors["model.layers.0.self_attn.v_proj.weight"][:, 0] = HUGE

    spoil(model, change)
    place = a_place(tmp_path, model, start_process)
    ended = place.run()
    assert ended.exit_code == 3, ended.err
    record = load_record(place.record)
    scores = record.scores.set_index(["task", "sample_id"])
    texts = record.samples.set_index(["task", "sample_id"])[["context", "continuation"]].fillna("")
    asked = texts.groupby(level=[0, 1]).agg("".join)
    with_seven = set(asked.index[(asked["context"] + asked["continuation"]).str.contains("7")])
    assert with_seven
    assert set(scores.index[scores["invalid"].notna()]) == with_seven
    assert all(math.isfinite(value) for value in scores["value"].dropna())
    estimates = record.estimates.set_index(["task", "metric"])
    foxes = sum(task == "foxes" for task, _ in with_seven)
    assert estimates.loc[("foxes", "acc"), "n"] == 24 - foxes
    assert estimates.loc[("foxes", "acc"), "invalid_count"] == foxes
    assert f"(+{foxes} invalid)" in ended.out
    assert "partial" in ended.out
    gated(place, start_process, "ERROR")
    share = f"\\({foxes / 24:.1%} unusable\\)"
    assert share in said(place, start_process, "compare", place.record, undisturbed.record, "--markdown")
    said(place, start_process, "report", place.record, "--markdown", "report.md")
    report = (place.folder / "report.md").read_text()
    assert f"| {24 - foxes} \\(\\+{foxes}\\) |" in report
    assert "samples that could not be used, and are in no score" in report
    tally.add("NaN or infinite logits in single samples", survived=True)


def said(place: Place, start_process, *arguments) -> str:
    """What another command prints."""
    process = start_process((list(map(str, arguments)), place.folder, [], []))
    process.join()
    assert process.exitcode == 0, (place.folder / "err.txt").read_text()
    return (place.folder / "out.txt").read_text()


def gated(place: Place, start_process, verdict: str) -> None:
    """Over 1 % of unusable samples, whatever the rule asks for."""
    (place.folder / "policy.yaml").write_text(POLICY)
    process = start_process((["gate", place.record.name, "--policy", "policy.yaml"], place.folder, [], []))
    process.join()
    assert process.exitcode == 2, (place.folder / "err.txt").read_text()
    (found,) = read_verdicts(place.record)
    assert found.verdict == verdict


def test_without_a_pad_token_any_batch_gives_the_same_scores(tmp_path, tiny_llama, start_process, tally: Tally):
    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    assert tokenizer.pad_token is None
    found = []
    for size in ("1", "64", "512"):
        place = new_place(tmp_path / size, tiny_llama, start_process)
        ended = place.run(options=("--batch-tokens", size))
        assert ended.exit_code == 0, ended.err
        found.append(load_record(place.record).scores)
    for other in found[1:]:
        assert torch.allclose(
            torch.tensor(found[0]["value"].to_numpy()), torch.tensor(other["value"].to_numpy()), atol=5e-4
        )
        assert list(found[0]["predicted"]) == list(other["predicted"])
    tally.add("no pad token, three batch sizes", survived=True)
