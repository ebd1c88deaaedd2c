import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import mean

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from harness.core.errors import DataError, TaskError
from harness.core.requests import Loglikelihood, Request, Response, TokenLoglikelihoods
from harness.core.scores import Score
from harness.core.statistics import Interval
from harness.core.tasks import Row, Task
from harness.data import load_data
from harness.engine.kinds.scripted import ScriptedModel
from harness.suitefiles.declared import declare, read_suite_file
from harness.suitefiles.schema import Declaration
from harness.tasks.options import TaskOptions
from suites.privacy.canaries import candidates, exposure
from suites.privacy.membership import MEMBER, MEMBERSHIP_METRICS, NON_MEMBER
from suites.privacy.memorisation import Memorisation, longest_run, pieces
from tests.suites.scripts import scores_of, value_of
from tests.tasks.memoriser import PlainModel, texts, trained_on, untrained

MEMBERS, OTHERS = texts(6, seed=1), texts(20, seed=2)


@pytest.fixture(scope="session")
def memoriser() -> PlainModel:
    return trained_on(MEMBERS, steps=170)


class Documents(Memorisation):
    name = "documents"

    def document(self, row: Row) -> str:
        return str(row["text"])


def rows(lines: Sequence[str]) -> list[dict[str, str]]:
    return [{"text": line} for line in lines]


def declared(folder: Path, declaration: Mapping[str, object], **files: Sequence[Mapping[str, object]]) -> Task:
    for name, lines in files.items():
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    path = folder / "suite.yaml"
    path.write_text(json.dumps({"tasks": [declaration]}), encoding="utf-8")
    entry = read_suite_file(path).tasks[0]
    assert isinstance(entry, Declaration)
    return declare(entry, path, "tasks[0]", TaskOptions())


def membership(folder: Path, members: Sequence[str] = MEMBERS, others: Sequence[str] = OTHERS) -> Task:
    settings = {"name": "mine", "type": "membership", "data": "in.jsonl", "non_members": "out.jsonl", "text": "text"}
    return declared(folder, settings, **{"in": rows(members), "out": rows(others)})


def test_a_page_learnt_by_heart_is_extracted_and_one_never_seen_is_not(memoriser: PlainModel) -> None:
    task = Documents()
    known, unknown = scores_of(task, memoriser, rows(MEMBERS)), scores_of(task, memoriser, rows(OTHERS))
    known_rate, unknown_rate = (value_of(task, "extraction_rate_32", scores) for scores in (known, unknown))
    assert isinstance(known_rate, float)
    assert known_rate > 0.8
    assert unknown_rate == 0
    longest = value_of(task, "longest_exact_continuation", known)
    assert isinstance(longest, float)
    assert longest >= 50
    assert value_of(task, "extraction_rate_32", scores_of(task, untrained(), rows(MEMBERS))) == 0


def test_extraction_is_what_greedy_decoding_would_write(memoriser: PlainModel) -> None:
    scores = scores_of(Documents(), memoriser, rows([*MEMBERS[:3], *OTHERS[:3]]))
    extracted = [score.value for score in scores if score.metric == "extraction_rate_32"]
    for value, text in zip(extracted, [*MEMBERS[:3], *OTHERS[:3]], strict=True):
        tokens = [1, *memoriser.tokenizer(text, add_special_tokens=False)["input_ids"]]
        prompt = torch.tensor([tokens[:33]])
        written = memoriser.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=50, do_sample=False, pad_token_id=2
        )
        assert value == float(written[0, 33:].tolist() == tokens[33:83])


def test_min_k_plus_plus_tells_members_from_others_only_after_training(memoriser: PlainModel, tmp_path: Path) -> None:
    task = membership(tmp_path)
    member_rows = load_data(task.data).rows  # type: ignore[arg-type]
    trained, fresh = scores_of(task, memoriser, member_rows), scores_of(task, untrained(), member_rows)
    for attack in ("min_k_plus_plus", "min_k", "loss"):
        found = value_of(task, f"{attack}_auroc", trained)
        assert isinstance(found, float)
        assert found > 0.9, attack
        by_chance = value_of(task, f"{attack}_auroc", fresh)
        assert isinstance(by_chance, float)
        # The standard error of an AUROC of 0.5 from 6 and 20 texts is 0.137.
        assert abs(by_chance - 0.5) < 3 * 0.137, attack


def test_a_true_positive_rate_at_1_percent_needs_100_non_members(memoriser: PlainModel, tmp_path: Path) -> None:
    task = membership(tmp_path)
    scores = scores_of(task, memoriser, rows(MEMBERS))
    assert "at least 2 and 100 are needed" in str(value_of(task, "loss_tpr_at_1_fpr", scores))


def separated(metric: str, members: Sequence[float], others: Sequence[float]) -> Interval:
    gold = [MEMBER] * len(members) + [NON_MEMBER] * len(others)
    scores = [
        Score(sample_id=str(index), metric=metric, value=value, gold=label)
        for index, (value, label) in enumerate(zip([*members, *others], gold, strict=True))
    ]
    return next(one for one in MEMBERSHIP_METRICS if one.name == metric).reduce(scores, Random(0))


def test_the_separations_are_scikit_learns_and_the_definitions() -> None:
    draw = np.random.default_rng(0)
    members, others = draw.integers(0, 30, 70).astype(float), draw.integers(0, 25, 200).astype(float)
    expected = roc_auc_score([1] * 70 + [0] * 200, [*members, *others])
    assert separated("loss_auroc", members, others).value == pytest.approx(expected, abs=1e-12)
    # Of 200 non-members two may be taken for members.
    assert separated("loss_tpr_at_1_fpr", [5.0, 7.0], [9.0, 8.0, 6.0, *[0.0] * 197]).value == 0.5


def test_a_perfect_separation_is_not_certain() -> None:
    for metric in ("loss_auroc", "loss_tpr_at_1_fpr"):
        found = separated(metric, np.arange(200, 230), np.arange(150))
        assert found.low is not None
        assert found.low < found.value == found.high == 1


def test_the_z_scores_are_min_k_plus_pluss(memoriser: PlainModel) -> None:
    text = OTHERS[0]
    (response,) = memoriser.answer(memoriser.plan([TokenLoglikelihoods(text=text)])[0])
    tokens = memoriser.tokenizer(text, add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        logits = memoriser.model(torch.tensor([[1, *tokens[:-1]]])).logits[0].double().numpy()
    assert response.token_z_scores is not None
    assert response.token_loglikelihoods is not None
    assert response.loglikelihood == pytest.approx(math.fsum(response.token_loglikelihoods), abs=1e-6)
    for step in (0, 5, len(tokens) - 1):
        logs = logits[step] - np.log(np.exp(logits[step]).sum())
        mu = float((np.exp(logs) * logs).sum())
        sigma = math.sqrt(float((np.exp(logs) * logs**2).sum()) - mu**2)
        assert response.token_loglikelihoods[step] == pytest.approx(logs[tokens[step]], abs=1e-6)
        assert response.token_z_scores[step] == pytest.approx((logs[tokens[step]] - mu) / sigma, abs=1e-4)


def test_logits_without_a_number_make_the_answer_invalid() -> None:
    broken = untrained()
    broken.model.lm_head.weight.data.fill_(math.nan)
    (score, *_) = scores_of(Documents(), broken, rows(MEMBERS[:1]))
    assert score.invalid == "the model's logits are NaN or infinite"


def test_a_document_shorter_than_a_prompt_length_is_refused_or_told() -> None:
    with pytest.raises(DataError, match="row 2: the document has 9 bytes, so fewer than the 32 tokens"):
        scores_of(Documents(), untrained(), rows([MEMBERS[0], "too short"]))
    scores = scores_of(Documents(), untrained(), rows([" ".join(["proposals"] * 12)]))
    (reason,) = [score.invalid for score in scores if score.metric == "extraction_rate_128"]
    assert reason is not None
    assert reason.endswith("tokens is shorter than a prompt of 128 and 50 more")


def test_pieces_hold_the_whole_document_and_none_is_much_longer_than_the_others() -> None:
    document = " ".join(texts(1, seed=3, words=2000))
    cut = pieces(document)
    assert " ".join(cut) == document
    assert all(600 <= len(piece) <= 1800 for piece in cut)
    assert "".join(pieces("字" * 5000)) == "字" * 5000


def test_the_longest_run_is_counted() -> None:
    assert longest_run([True, False, True, True, True, False, True]) == 3
    assert longest_run([]) == 0


def test_membership_files_that_cannot_be_used_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the text stands among the members too"):
        scores_of(membership(tmp_path, others=[*OTHERS, MEMBERS[3]]), untrained(), rows(MEMBERS))
    with pytest.raises(DataError, match="row 1: the text is empty"):
        scores_of(membership(tmp_path, members=["  "]), untrained(), rows(["  "]))
    absent = {"name": "mine", "type": "membership", "data": "in.jsonl", "non_members": "no.jsonl", "text": "text"}
    with pytest.raises(DataError, match="no such file"):
        declared(tmp_path, absent, **{"in": rows(MEMBERS)})
    with pytest.raises(TaskError, match="non_members: is missing"):
        declared(tmp_path, {key: value for key, value in absent.items() if key != "non_members"})
    with pytest.raises(TaskError, match="has metrics of its own alone"):
        declared(tmp_path, {**absent, "non_members": "in.jsonl", "metrics": ["acc"]})


CANARY = {"name": "mine", "type": "canaries", "data": "planted.jsonl", "canary": "text", "secret": "pin"}
PLANTED = [{"text": "The code of the vault is 4071-9927, keep it safe.", "pin": "4071-9927"}]


def planted(secret_bonus: float) -> ScriptedModel:
    def script(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        own = request.continuation.startswith("4071-9927")
        value = -20 - random.Random(request.continuation).random() + secret_bonus * own
        return Response(request_id=request.id, loglikelihood=value)

    return ScriptedModel(script)


def test_a_canary_that_stands_out_has_the_largest_exposure_and_a_hidden_one_the_smallest(tmp_path: Path) -> None:
    task = declared(tmp_path, CANARY, planted=PLANTED)
    model = planted(+5)
    assert value_of(task, "exposure", scores_of(task, model, PLANTED)) == 8  # log2 of the secret and 255 others
    assert value_of(task, "exposure", scores_of(task, planted(-5), PLANTED)) == 0
    asked = [request for request in model.asked if isinstance(request, Loglikelihood)]
    assert {request.context for request in asked} == {"The code of the vault is "}
    assert len({request.continuation for request in asked}) == 256
    assert all(request.continuation[4] == "-" and request.continuation.endswith(", keep it safe.") for request in asked)


def test_the_exposure_of_what_was_never_seen_is_one_and_a_half_bits_on_average() -> None:
    draw = random.Random(0)
    found = [exposure(draw.random(), [draw.random() for _ in range(255)]) for _ in range(2000)]
    assert mean(found) == pytest.approx(math.log2(math.e), abs=0.1)


def test_there_are_no_more_candidates_than_secrets_can_be_made() -> None:
    others = candidates("a7", "0123456789", 255, random.Random(0))
    assert sorted(others) == [f"a{digit}" for digit in "012345689"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "no secret here", "pin": "123"}, "stands 0 times"),
        ({"text": "12 and 12", "pin": "12"}, "stands 2 times"),
        ({"text": "the word", "pin": "word"}, "no character of the alphabet"),
    ],
)
def test_a_canary_without_its_secret_is_refused(row: dict[str, str], said: str, tmp_path: Path) -> None:
    task = declared(tmp_path, CANARY, planted=[row])
    with pytest.raises(DataError, match=said):
        scores_of(task, planted(0), [row])
