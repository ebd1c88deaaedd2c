"""Traces of training are found where there are some, and p values are uniform where there are none."""

import gzip
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import kstest
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness.core import registry
from harness.core.errors import DataError, HarnessError, InputError, TaskError
from harness.core.requests import Loglikelihood, LoglikelihoodRolling, Request, Response, TokenLoglikelihoods
from harness.core.scores import Estimate
from harness.core.tasks import Row, TaskSettings
from harness.engine.kinds.scripted import ScriptedModel
from harness.report import Words
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.tasks.rolling import RollingPerplexity
from suites.contamination.corpus import runs_of, search
from suites.contamination.orders import ROWS, OrderTask
from suites.contamination.overlap import OverlapTask
from suites.contamination.ranks import MeanRank, rank_p_value
from suites.contamination.report import ContaminationReport
from suites.contamination.twins import TwinTask
from suites.contamination.wrappers import exchangeability, freshness, overlap
from tests.suites.scripts import scores_of, value_of
from tests.suites.tasks.test_calibration_task import Sums
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

Likely = Callable[[str], float]
SETTINGS = TaskSettings(limit=None, num_fewshot=0, seed=0)


class Lines(RollingPerplexity):
    """Lines."""

    name = "lines"
    data = "lines"

    def text(self, row: Row) -> str:
        return str(row["text"])


def reader(likely: Likely) -> ScriptedModel:
    def script(request: Request) -> Response:
        assert isinstance(request, LoglikelihoodRolling | TokenLoglikelihoods)
        value = likely(request.text)
        return Response(
            request_id=request.id,
            loglikelihood=value,
            token_loglikelihoods=(value, value),
            token_z_scores=(value, value),
        )

    return ScriptedModel(script)


def lines(count: int = 40) -> list[Row]:
    rng = Random(5)
    words = ["fox", "dog", "river", "bank", "water", "school", "rain", "city", "tower", "market", "music", "film"]
    return [{"text": f"{number} " + " ".join(rng.choices(words, k=5))} for number in rng.sample(range(100, 999), count)]


def p_of(task: OrderTask | TwinTask, model: ScriptedModel, rows: Sequence[Row], seed: int = 0) -> float:
    (metric, *_) = task.metrics
    found = [one for one in scores_of(task, model, rows, seed=seed) if one.metric == metric.name]
    p_value = metric.reduce(found, Random(0)).p_value
    assert p_value is not None
    return p_value


def test_the_p_value_is_the_share_of_all_ways_in_which_ranks_can_sum_so_high() -> None:
    for count, alternatives in ((1, 3), (2, 5), (3, 4)):
        every = list(itertools.product(range(alternatives + 1), repeat=count))
        for total in range(count * alternatives + 1):
            share = sum(sum(ranks) >= total for ranks in every) / len(every)
            assert rank_p_value(total, count, alternatives) == pytest.approx(share)


def test_a_model_that_knows_the_order_is_told_and_one_that_knows_the_rows_alone_is_not() -> None:
    rows = lines()
    whole = "\n\n".join(str(row["text"]) for row in rows)
    task = OrderTask(Lines())
    assert p_of(task, reader(lambda text: -1.0 if text in whole else -2.0), rows) < 1e-6
    assert p_of(task, reader(lambda text: -1.0), rows) == pytest.approx(1)  # all tie: nothing is likelier


def test_p_values_of_models_that_know_no_order_are_uniform() -> None:
    """Each seed is another model, which finds each text as likely as chance has it."""
    rows, task = lines(80), OrderTask(Lines())
    found = [p_of(task, reader(lambda text, seed=seed: -Random(f"{seed}{text}").random()), rows) for seed in range(200)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert sum(one < 0.05 for one in found) / len(found) == pytest.approx(0.05, abs=0.04)


def test_a_story_that_is_known_by_heart_is_more_familiar_than_its_twins() -> None:
    rng = Random(3)
    rows: list[Row] = [
        {"text": f"Ann has {rng.randrange(10, 99)} apples and eats {rng.randrange(2, 9)} of them on day {number}."}
        for number in range(100, 130)
    ]
    known = {str(row["text"]) for row in rows}
    task = TwinTask(Lines())
    assert p_of(task, reader(lambda text: -1.0 if text in known else -2.0), rows) < 1e-6
    assert p_of(task, reader(lambda text: -Random(text).random()), rows) > 0.001
    for score in task.samples(rows, SETTINGS):
        twins = score.fields["twins"]
        assert len({score.prompt, *twins}) == 4
        for twin in twins:  # the same but for its numbers, which have as many digits
            assert [len(one) for one in twin.split(" ")] == [len(one) for one in score.prompt.split(" ")]
    with pytest.raises(DataError, match="no row with 2 whole numbers"):
        task.samples([{"text": "no number"}], SETTINGS)


QUESTION = "Where does the quick brown fox jump over the lazy dog by the river bank when it rains?"


class Asked(Sums):
    """Questions."""

    name = "asked"

    def question(self, row: Row) -> str:
        return f"Question: {row['q']}\nAnswer:"


@pytest.mark.parametrize(
    "name",
    [
        *("corpus.txt", "rows.jsonl", "chats.jsonl", "deep/er/notes.md", "SHOUTED.TXT"),
        *("packed.txt.gz", "packed.jsonl.gz", "table.parquet"),
    ],
)
def test_a_question_in_the_corpus_is_found_wherever_it_stands(tmp_path: Path, name: str) -> None:
    said = "it rained. " * 50 + QUESTION.upper().replace(" ", "\n") + " and so on" * 20
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    turns = {"messages": [{"role": "user", "content": [{"type": "text", "text": said}]}]}
    row = json.dumps({"a": 1, "text": said})
    written = {"rows.jsonl": row, "packed.jsonl.gz": row, "chats.jsonl": json.dumps(turns)}.get(name, said).encode()
    (tmp_path / name).write_bytes(gzip.compress(written) if name.endswith(".gz") else written)
    if name.endswith(".parquet"):
        pq.write_table(pa.table({"number": [1, 2], "turns": [["no"], ["so", said]]}), tmp_path / name)
    rows: list[Row] = [
        {"q": QUESTION, "options": ["home", "away"], "gold": 0},
        {"q": QUESTION.replace("fox", "cat").replace("river", "sea"), "options": ["home", "away"], "gold": 1},
        {"q": "Too short?", "options": ["home", "away"], "gold": 0},
    ]
    task = OverlapTask(Asked())
    task.use_corpus(tmp_path)

    def first(request: Request) -> Response:
        assert isinstance(request, Loglikelihood)
        return Response(request_id=request.id, loglikelihood=-1.0 if request.continuation == " home" else -2.0)

    found = scores_of(task, ScriptedModel(first), rows)
    assert value_of(task, "ngram_overlap", found) == 0.5
    assert value_of(task, "score_by_overlap", found, overlap="not found") == 0.0
    assert value_of(task, "score_by_overlap", found, overlap="found") == 1.0
    assert len(task.definition["corpus_sha256"]) == 64


def test_runs_reach_across_the_pieces_that_a_file_is_read_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corpus.txt").write_text(f"before it {QUESTION} and after")
    for size in (1, 7, 16, 1000):
        monkeypatch.setattr("suites.contamination.corpus._CHUNK", size)
        assert search(tmp_path, runs_of(QUESTION)).runs == runs_of(QUESTION)
    assert runs_of("seven words are not enough for this") == set()
    assert len(runs_of("eight words are just enough for this one")) == 1


def looked_up(task: OverlapTask, folder: Path) -> None:
    task.use_corpus(folder)
    task.samples([{"q": QUESTION, "options": ["a", "b"], "gold": 0}], SETTINGS)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"holds no \.txt"),
        ({"table.csv": b"a"}, r"holds no \.txt"),
        ({"a.txt": b"\xff\xfe\x00"}, r"a\.txt: can't be read"),
        ({"a.txt.gz": gzip.compress(b"word " * 9000)[:-20]}, r"a\.txt\.gz: can't be read"),
        ({"a.jsonl.gz": b"not packed"}, r"a\.jsonl\.gz: can't be read"),
        ({"a.parquet": b"PAR1 no table"}, r"a\.parquet"),
        ({"a.jsonl": b'{"text": "fine"}\n{"text": '}, r"a\.jsonl, line 2: is not a row of JSON"),
    ],
)
def test_a_corpus_that_can_not_be_read_is_one_clear_line(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    task = OverlapTask(Asked())
    with pytest.raises((InputError, DataError), match=said) as refused:
        looked_up(task, tmp_path)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


def test_files_that_are_not_read_are_named_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("read.txt", "table.csv", "deep.zip", "table.parquet.gz"):
        (tmp_path / name).write_text("words")
    for _ in range(2):
        OverlapTask(Asked()).use_corpus(tmp_path)
    (told,) = caplog.messages
    assert "'deep.zip', 'table.csv', 'table.parquet.gz'" in told
    assert "read.txt" not in told


def test_what_makes_no_sense_is_refused_in_one_line(tiny_llama: Path, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="overlap:lines: questions with choices"):
        overlap(Lines())
    with pytest.raises(TaskError, match="exchangeability:lines: rows of a data set"):
        exchangeability(type("Bare", (Lines,), {"data": None, "__doc__": "Bare."})())
    with pytest.raises(DataError, match="has 3 rows, and their order is tried on 4"):
        OrderTask(Lines()).samples(lines(3), SETTINGS)
    for wrap in (exchangeability, freshness):
        with pytest.raises(TaskError, match=r"diversity_med_qa: .* the task makes rows of its own"):
            wrap(registry.task("diversity_med_qa")).samples([{"male_sentence": "A man."}] * 4, SETTINGS)
    options = EvalOptions(output=tmp_path, store="none", meter="none", offline=True, corpus=tmp_path / "nowhere")
    for task, said in (("overlap:piqa", "nowhere: is not a folder"), ("piqa", "none of the tasks asked for looks for")):
        with pytest.raises(HarnessError, match=said):
            evaluate(str(tiny_llama), task=task, options=options)
    with pytest.raises(HarnessError, match="which --corpus names"):
        evaluate(str(tiny_llama), task="overlap:piqa", options=EvalOptions(offline=True, meter="none"))


def trained(folder: Path, texts: Sequence[str], *, steps: int, seed: int) -> ScriptedModel:
    """A tiny model that read the texts, one after another, again and again."""
    torch.manual_seed(seed)
    build_tiny_checkpoint(folder, config=tiny_llama_config(hidden_size=64, intermediate_size=128), scale=1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    tokens = tokenizer("\n\n".join(texts), add_special_tokens=False, return_tensors="pt")["input_ids"][0]
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        starts = torch.randint(0, len(tokens) - 128, (8,))
        batch = torch.stack([tokens[start : start + 128] for start in starts.tolist()])
        model(batch, labels=batch).loss.backward()
        optimiser.step()
        optimiser.zero_grad()

    def likely(text: str) -> float:
        ids = torch.tensor([[1, *tokenizer(text, add_special_tokens=False)["input_ids"]]])
        with torch.inference_mode():
            logs = model.eval()(ids).logits[0, :-1].log_softmax(-1)
        return float(logs.gather(-1, ids[0, 1:, None]).sum())

    return reader(likely)


def test_a_model_that_was_trained_on_the_rows_in_their_order_is_caught(tmp_path: Path) -> None:
    rows = lines(8 * ROWS)
    model = trained(tmp_path, [str(row["text"]) for row in rows], steps=150, seed=0)
    assert p_of(OrderTask(Lines()), model, rows) < 0.01


def test_a_rank_has_no_end_beyond_its_range() -> None:
    metric = OrderTask(Lines()).metrics[0]
    assert isinstance(metric, MeanRank)
    assert (metric.lowest, metric.highest, metric.target) == (0.0, 1.0, 0.5)


def test_a_report_tells_traces_beside_the_scores_of_the_task_that_they_are_about() -> None:
    def estimate(task: str, metric: str, value: float | None, p_value: float | None) -> Estimate:
        told = {"value": value, "p_value": p_value, "n": 4, "unit": "share", "signature": "s"}
        return Estimate(suite="any", task=task, metric=metric, target=0.5, reason=None if value else "no", **told)

    listed = [
        estimate("exchangeability_piqa", "order_rank", 0.65, 0.239),
        estimate("overlap:piqa", "ngram_overlap", 0.25, None),
        estimate("freshness:mine", "min_k_rank", None, None),
        estimate("bbq", "gap", 0.4, 0.01),
        estimate("not_installed", "gap", 0.4, 0.01),
    ]
    run = SimpleNamespace(model="m", estimates=listed, scores=None, samples=None)
    (found,) = ContaminationReport().beside(run, Words("en"))
    assert found == (
        "piqa",
        "Traces of its rows in training, which are no verdict: rank of the published order 0.6500 "
        "(p = 0.239); overlap of n-grams 0.2500.",
    )
