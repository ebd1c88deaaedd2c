"""One model in two processes of torchrun's, on processors: what they answer together, and what they are refused."""

import socket
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from harness.checkpoints import resolve
from harness.checkpoints.loading.placement import Spread, check_spread
from harness.core.errors import InputError
from harness.core.models import TOLERANCE_NATS, ModelOptions
from harness.core.process.progress import Quiet
from harness.engine.opening import open_model
from harness.engine.parallel.crew import VARIABLES, Crew
from harness.record import RunRecord
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.replicas.options import ReplicaOptions
from harness.run.together import evaluate_together, is_follower, refuse_loose_processes
from tests.forks import begun
from tests.tiny import build_tiny_checkpoint, tiny_llama_config

TASKS = ("piqa", "text_generation", "wikitext_sentences")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama whose window has room for every prompt."""
    return build_tiny_checkpoint(
        tmp_path_factory.mktemp("llama"), config=tiny_llama_config(max_position_embeddings=1024)
    )


@pytest.fixture(scope="module")
def together(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """The record of a run in two processes."""
    output = tmp_path_factory.mktemp("together")
    asked = ["--model", str(llama), *(word for task in TASKS for word in ("--task", task)), "--limit", "3"]
    settings = ["--meter", "none", "--offline", "--store", "none", "--dtype", "float32", "--output", str(output)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with ExitStack() as stack:
        begins = [
            stack.enter_context(
                begun(
                    *("-m", "harness", "eval", *asked, *settings, "--tensor-parallel", "2", "--json"),
                    cwd=output.parent,
                    # What torchrun sets, which else starts two interpreters and is a third.
                    **dict(zip(VARIABLES, (rank, rank, "2", "127.0.0.1", port), strict=True)),
                )
            )
            for rank in "01"
        ]
        ended = [one.end(300) for one in begins]
    assert not any(one.returncode for one in ended), ended
    assert [one.stdout.count('"run_id"') for one in ended] == [1, 0]
    (folder,) = (path for path in output.iterdir() if path.is_dir())
    return RunRecord(folder)


def test_two_processes_answer_as_one_does(together: RunRecord, llama: Path, tmp_path: Path) -> None:
    options = EvalOptions(meter="none", offline=True, store="none", dtype="float32", output=tmp_path)
    alone = evaluate(str(llama), suite=[], task=TASKS, limit=3, options=options)
    assert together.run_id == alone.run_id  # how weights are spread is no part of what is asked
    assert together.environment["tensor_parallel"] == 2
    assert together.answers.keys() == alone.answers.keys()
    assert any(response.text for response in alone.answers.values())
    compared = 0
    for key, response in alone.answers.items():
        assert together.answers[key].text == response.text
        if response.loglikelihood is not None:
            compared += 1
            assert together.answers[key].loglikelihood == pytest.approx(response.loglikelihood, abs=TOLERANCE_NATS)
    assert compared > 6


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of the first of two processes."""
    values = ("0", "0", "2", "127.0.0.1", "29500")
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_without_the_variables_of_torchrun_its_command_is_told(torchrun: pytest.MonkeyPatch) -> None:
    torchrun.delenv("RANK")
    torchrun.delenv("MASTER_PORT")
    with pytest.raises(InputError, match="RANK, MASTER_PORT not set") as caught:
        Crew.joined(2)
    assert "torchrun --nproc-per-node 2" in str(caught.value.fix)


def test_another_number_of_processes_is_refused(torchrun: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="torchrun started 2 processes"):
        Crew.joined(3)


def test_more_processes_than_gpus_are_refused(torchrun: pytest.MonkeyPatch) -> None:
    torchrun.setenv("LOCAL_RANK", "1")
    torchrun.setattr(torch.cuda, "is_available", lambda: True)
    torchrun.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match="there are 1 GPUs here"):
        Crew.joined(2)


def test_processes_that_would_each_do_all_of_it_are_refused(torchrun: pytest.MonkeyPatch) -> None:
    refuse_loose_processes()
    torchrun.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(InputError) as caught:
        refuse_loose_processes()
    assert "--tensor-parallel 2" in str(caught.value.fix)


def test_only_one_process_speaks(torchrun: pytest.MonkeyPatch) -> None:
    assert not is_follower(EvalOptions(tensor_parallel=2))
    torchrun.setenv("RANK", "1")
    assert is_follower(EvalOptions(tensor_parallel=2))
    assert not is_follower(EvalOptions())


def test_outside_of_an_evaluation_there_is_nobody_to_follow(tiny_llama: Path) -> None:
    with pytest.raises(InputError, match="only `harness eval`"):
        open_model(resolve(str(tiny_llama)), ModelOptions(tensor_parallel=2))


def test_parts_must_be_even_and_go_without_a_map(tiny_llama: Path) -> None:
    checkpoint = resolve(str(tiny_llama))
    with pytest.raises(InputError, match="can't be shared out evenly"):
        check_spread(Spread(tensor_parallel=3), checkpoint, "float32")
    with pytest.raises(InputError, match="--device-map"):
        check_spread(Spread(tensor_parallel=2, device_map="auto"), checkpoint, "float32")
    with pytest.raises(InputError, match="adapter"):
        check_spread(Spread(tensor_parallel=2), replace(checkpoint, adapter=tiny_llama), "float32")


def test_workers_hold_whole_copies(torchrun: pytest.MonkeyPatch, tiny_llama: Path) -> None:
    options = EvalOptions(tensor_parallel=2, replicas=ReplicaOptions(workers=2))
    with pytest.raises(InputError, match="whole copies"):
        next(evaluate_together([str(tiny_llama)], options, Quiet(), suite=[], task=["piqa"]))
