"""Keys, signatures, proofs and samples asked again, as a user types them."""

import json
import shutil

import pandas as pd
import pytest

from harness.checkpoints.loading.dtypes import SERVED
from harness.core.text.hashing import canonical_json, file_digest
from harness.record import load_record
from harness.record.seal import write_seal
from harness.record.spec import run_id_of
from tests.cli.conftest import write_suite
from tests.served import Served, serving


@pytest.fixture
def run(harness_here, tiny_llama, tmp_path):
    """The folder of a finished run."""
    suite = write_suite(tmp_path)
    finished = harness_here(
        "eval", "--model", tiny_llama, "--suite", suite, "--meter", "none", "--limit", "6", "--json"
    )
    return tmp_path / json.loads(finished.stdout)["folder"]


def test_seal_verify_and_prove(harness_here, run, tmp_path):
    unsigned = harness_here("verify", run.name)
    assert (unsigned.returncode, "not signed" in unsigned.stdout) == (0, True)
    assert "private key: keys/harness.key" in harness_here("keys", "new").stdout
    assert harness_here("verify", run.name, "--public-key", "keys/harness.pub").returncode == 2
    assert harness_here("seal", run.name, "--key", "keys/harness.key").returncode == 0
    assert "the one you gave" in harness_here("verify", run.name, "--public-key", "keys/harness.pub").stdout
    assert "whose it is" in harness_here("verify", run.name).stdout
    assert harness_here("prove", run.name, "foxes/16", "--out", "proof.json").returncode == 0
    proved = harness_here("verify", "proof.json", "--public-key", "keys/harness.pub", "--json")
    assert json.loads(proved.stdout)["sample"] == "mine/foxes/16"
    proof = (tmp_path / "proof.json").read_text()
    (tmp_path / "proof.json").write_text(proof.replace("number 16 jump", "number 4 jump", 1))
    assert "is not the one that was sealed" in harness_here("verify", "proof.json").stderr
    (tmp_path / "keys" / "harness.key").chmod(0o644)
    assert "others on this machine" in harness_here("seal", run.name, "--key", "keys/harness.key").stderr
    refused = harness_here("seal", run.name, "--key", "keys/harness.pub")
    assert (refused.returncode, "holds a public key" in refused.stderr) == (2, True)
    (run / "spec.json").write_text("{")
    changed = harness_here("verify", run, "--json")
    assert changed.returncode == 2
    assert [one["file"] for one in json.loads(changed.stdout)["changes"]] == ["spec.json"]


def test_samples_are_asked_again(harness_here, run, tiny_llama, tmp_path):
    unnamed = harness_here("verify", run.name, "--rerun", "4")
    assert (unnamed.returncode, f"add --model {tiny_llama.name}" in said(unnamed)) == (2, True)
    asked = ("verify", run.name, "--rerun", "4", "--nonce", "mine", "--json", "--model", tiny_llama)
    again = harness_here(*asked)
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)["rerun"]
    assert (len(found["samples"]), found["differences"], found["tolerance"]) == (4, [], 5e-4)
    same = json.loads(harness_here(*asked).stdout)
    assert same["rerun"]["samples"] == found["samples"]
    missing = harness_here("verify", run.name, "--rerun", "1", "--model", tmp_path / "none")
    assert (missing.returncode, "--model" in missing.stderr) == (2, True)
    other = tmp_path / "other"
    other.mkdir()
    for path in tiny_llama.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "rope_theta": 5.0}))
    refused = harness_here("verify", run.name, "--rerun", "1", "--model", other)
    assert (refused.returncode, "is not the checkpoint of the run" in refused.stderr) == (2, True)


def test_an_invented_answer_is_found_though_its_seal_fits(harness_here, run, tiny_llama):
    table = pd.read_parquet(run / "responses.parquet").drop(columns=["label_scores"])
    table.loc[table["kind"] == "loglikelihood", "loglikelihood"] += 0.01
    table["label_scores"] = None
    table.to_parquet(run / "responses.parquet", index=False)
    sealed = json.loads((run / "seal.json").read_bytes())["files"]
    write_seal(run, [name for name in sealed if name not in ("samples.merkle", "parts.json")])
    assert load_record(run).verify() == []
    assert file_digest(run / "responses.parquet") != sealed["responses.parquet"]
    again = harness_here("verify", run.name, "--rerun", "100", "--model", tiny_llama)
    assert again.returncode == 2
    assert "loglikelihood is" in again.stderr


def renamed(run, **fields):
    """Another's record: the spec says so, and the seal and the folder's name fit it."""
    spec = {**json.loads((run / "spec.json").read_bytes()), **fields}
    (run / "spec.json").write_bytes(canonical_json(spec) + b"\n")
    moved = run.rename(run.with_name(run_id_of(spec)))
    sealed = json.loads((moved / "seal.json").read_bytes())["files"]
    write_seal(moved, [name for name in sealed if name not in ("samples.merkle", "parts.json")])
    assert load_record(moved).verify() == []
    return moved


def said(finished):
    return " ".join(finished.stderr.split())


def test_a_record_leads_to_no_server(harness_here, run, tiny_llama):
    with serving(Served(folder=tiny_llama)) as server:
        named = f"openai:{server.url}#tiny"
        key = {"OPENAI_API_KEY": "sk-a-very-secret-key-0123456789"}
        record = renamed(run, model=named, kind="completions", device=SERVED, dtype=SERVED)
        refused = harness_here("verify", record.name, "--rerun", "3", **key)
        assert (refused.returncode, "gets a key, only where you name it" in said(refused)) == (
            2,
            True,
        )
        assert f"add --model '{named}'" in said(refused)
        for other in (f"openai:{server.url}/other#tiny", f"openai:{server.url}#other", tiny_llama):
            refused = harness_here("verify", record.name, "--rerun", "3", "--model", other, **key)
            assert refused.returncode == 2
            assert "is not the checkpoint of the run" in said(refused)
        assert server.paths == []
        refused = harness_here("verify", record.name, "--rerun", "3", "--model", named, **key)
        assert "its fingerprint is" in said(refused)
        assert not [body for body in server.bodies if "fox" in str(body)]


@pytest.mark.parametrize("name", ["org/name", "~/model", "../model", "/srv/model", "file:///srv/model"])
def test_a_record_leads_to_no_hub_and_no_other_folder(harness_here, run, name):
    refused = harness_here("verify", renamed(run, model=name).name, "--rerun", "1")
    told = said(refused)
    assert (refused.returncode, "spec.json: names" in told, "--model" in told) == (2, True, True)


@pytest.mark.parametrize("name", [7, None, ["models/mine"]])
def test_a_model_whose_name_is_no_text_is_a_damaged_record(harness_here, run, name):
    spec = {**json.loads((run / "spec.json").read_bytes()), "model": name}
    (run / "spec.json").write_bytes(canonical_json(spec) + b"\n")
    write_seal(run, [file for file in json.loads((run / "seal.json").read_bytes())["files"] if "samples" not in file])
    refused = harness_here("verify", run, "--rerun", "1")
    assert (refused.returncode, "nobody foresaw" in said(refused)) == (2, False)
    assert "spec.json" in said(refused)


def test_a_record_leads_to_a_folder_below_the_one_that_the_user_is_in(harness_here, run, tiny_llama, tmp_path):
    shutil.copytree(tiny_llama, tmp_path / "models" / "mine")
    record = renamed(run, model="./models/mine")
    again = harness_here("verify", record.name, "--rerun", "3")
    assert (again.returncode, "the same answers" in again.stdout) == (0, True)
    refused = harness_here("verify", record.name, "--rerun", "3", "--trust-remote-code")
    assert (refused.returncode, "only the record names" in said(refused)) == (2, True)


def test_card_and_exports(harness_here, run, tmp_path):
    assert harness_here("card", run.name, "--out", "README.md").returncode == 0
    assert "model-index:" in (tmp_path / "README.md").read_text()
    assert harness_here("card", run.name).stdout.startswith("---\n")
    for form in ("csv", "lm-eval", "every-eval-ever", "mlflow"):
        assert harness_here("export", run.name, "--format", form, "--out", f"out-{form}").returncode == 0
    refused = harness_here("export", run.name, "--format", "cvs", "--out", "x")
    assert (refused.returncode, "did you mean csv" in refused.stderr) == (2, True)
    assert harness_here("export", run.name, "--out", tmp_path / "none" / "x").returncode == 2
    (run / "scores.parquet").write_bytes(b"other")
    assert harness_here("card", run.name).returncode == 2
