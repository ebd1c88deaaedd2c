"""What can't be shared is said in one line, before anything is computed."""

import importlib
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import HarnessError, InputError, RecordLockedError, UnavailableError
from harness.core.process.network import no_network
from harness.record import RunWriter
from harness.record.environment import package_versions
from harness.run.options import EvalOptions
from harness.run.pipeline import evaluate
from harness.run.planning import plan
from harness.run.replicas import cluster, fleet
from harness.run.replicas.cluster import cluster_error, connected
from harness.run.replicas.options import ReplicaOptions
from harness.run.replicas.replica import WorkerFacts
from harness.run.replicas.room import check_replicas, device_of, refuse_strangers, threads_each, worker_needs

ONE = WorkerFacts(
    node="alpha",
    node_id="1",
    versions=package_versions(),
    machine="x86_64",
    process_id=1,
    threads=1,
    device={"device": "cpu"},
    peak_memory_bytes=None,
)


def test_no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"^--workers: needs Ray, which isn't installed\. Install it: pip install"):
        evaluate("no-such-model", options=EvalOptions(replicas=ReplicaOptions(workers=2)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ReplicaOptions(gpus_per_worker=1), "--gpus-per-worker 1: has no effect without --workers"),
        (ReplicaOptions(ray_address="auto"), "--ray-address auto: has no effect without --workers"),
    ],
)
def test_what_has_no_effect_alone(options: ReplicaOptions, said: str) -> None:
    with pytest.raises(InputError) as raised:
        check_replicas(options, None)
    assert str(raised.value).startswith(said)


def test_a_bound_for_one_process_is_none_for_several() -> None:
    pytest.importorskip("ray")
    with pytest.raises(InputError, match=r"^--max-memory: bounds one process"):
        check_replicas(ReplicaOptions(workers=2), 10**9)


@pytest.mark.parametrize(
    ("options", "device", "threads", "said"),
    [
        (ReplicaOptions(workers=3, gpus_per_worker=1), "cpu", 1, "takes 3 GPUs for 3 workers, and the cluster has 2"),
        (ReplicaOptions(workers=3), "cuda", 1, "takes 3 GPUs for 3 workers, and the cluster has 2"),
        (ReplicaOptions(workers=1, gpus_per_worker=1.5), "cuda", 1, "is neither whole nor below 1"),
        (ReplicaOptions(workers=3), "cpu", 8, "takes 24 processors with 8 threads each, and the cluster has 16"),
    ],
)
def test_more_than_the_cluster_has(options: ReplicaOptions, device: str, threads: int, said: str) -> None:
    with pytest.raises(InputError) as raised:
        worker_needs(options, device, threads, [{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 1.0}])
    assert raised.value.problem == said


def test_workers_share_the_gpus_of_a_cluster() -> None:
    nodes = [{"CPU": 8.0, "GPU": 1.0}, {"CPU": 8.0, "GPU": 1.0}]
    assert worker_needs(ReplicaOptions(workers=4, gpus_per_worker=0.5), "cuda", 2, nodes) == {
        "num_cpus": 2,
        "num_gpus": 0.5,
    }
    assert device_of(ReplicaOptions(workers=4, gpus_per_worker=0.5, ray_address="auto"), "auto") == "cuda"
    assert device_of(ReplicaOptions(workers=4, gpus_per_worker=0), "auto") == "cpu"


@pytest.mark.parametrize(
    ("workers", "nodes", "asked_for", "threads"),
    [(4, [8, 8], None, 4), (3, [8, 8], None, 5), (1, [8, 4], None, 4), (40, [8, 8], None, 1), (4, [8, 8], 2, 2)],
)
def test_the_threads_of_a_cluster_are_shared_out_evenly(
    workers: int, nodes: list[int], asked_for: int | None, threads: int
) -> None:
    """A worker is on one machine, so it has no more than the smallest has."""
    assert threads_each(workers, [{"CPU": float(one)} for one in nodes], asked_for) == threads


def test_workers_of_other_versions_and_without_the_device() -> None:
    refuse_strangers([ONE, ONE])
    other = replace(ONE, node="beta", versions={**ONE.versions, "torch": "1.0"})
    with pytest.raises(InputError, match=r"^the worker on beta: has torch 1\.0 and not "):
        refuse_strangers([ONE, other])
    with pytest.raises(InputError, match=r"^the worker on gamma: --device cuda: this machine has none"):
        refuse_strangers([replace(ONE, node="gamma", device={"lack": "--device cuda: this machine has none"})])


def test_a_full_object_store_is_told_in_one_line() -> None:
    exceptions = pytest.importorskip("ray.exceptions")
    for error in (exceptions.ObjectStoreFullError(), exceptions.OutOfDiskError()):
        said: HarnessError = cluster_error(error)
        assert "object store of the cluster is full" in str(said)
        assert "\n" not in str(said)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "--ray-address nonsense: can't be used (it is no address). Give auto, HOST:PORT or ray://"),
        ("http://here:1", "--ray-address http://here:1: can't be used (it is no address)"),
        (
            "127.0.0.1:1",
            "--ray-address 127.0.0.1:1: no cluster of Ray answers (Connection refused",
        ),
        ("ray://127.0.0.1:1", "--ray-address ray://127.0.0.1:1: no cluster of Ray answers"),
    ],
)
def test_an_address_where_no_cluster_is(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # the tests' own cluster is none of the user's
    with pytest.raises(HarnessError) as raised, no_network("a test", "None"), connected(address, 1):
        pass
    assert str(raised.value).startswith(said)


def test_a_cluster_that_the_environment_names_and_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UnavailableError, match=r"^--ray-address auto: no cluster of Ray answers"), connected("auto", 1):
        pass


@pytest.mark.parametrize("for_clients", [False, True])
def test_a_cluster_that_wants_a_token_is_told_at_once(for_clients: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Ray's own ports answer: of its health to all, and where there is no such question, to nobody."""
    ray, grpc = pytest.importorskip("ray"), importlib.import_module("grpc")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)

    def answer(_asked: bytes, context: Any) -> bytes:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "Authentication token is missing or incorrect")
        return b""

    class Guarded(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            if not call.method.startswith("/grpc.health"):
                return grpc.unary_unary_rpc_method_handler(answer)
            return None if for_clients else grpc.unary_unary_rpc_method_handler(lambda *_: b"")

    server = grpc.server(ThreadPoolExecutor(1), handlers=[Guarded()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = f"ray://127.0.0.1:{port}" if for_clients else f"127.0.0.1:{port}"
    with pytest.raises(InputError, match=r"wants a token, and none is at hand\)\. Set RAY_AUTH"), connected(address, 1):
        pass
    server.stop(0)


def test_what_listens_there_but_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing, as many a server does that waits for words of its own."""
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(cluster, "KNOCK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(UnavailableError, match=r"no cluster of Ray answers \(none within 0\.2 s"),
            connected(address, 1),
        ):
            pass


def test_the_port_for_clients_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of gRPC that doesn't know the question of its health, as that of Ray's clients."""
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    grpc: Any = importlib.import_module("grpc")
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            with pytest.raises(InputError) as raised, connected(f"127.0.0.1:{port}", 1):
                pass
        finally:
            server.stop(None).wait()
    assert f"that port is the one for clients: give ray://127.0.0.1:{port}" in str(raised.value)


def test_a_second_driver_of_the_same_run_begins_no_workers(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    options = EvalOptions(limit=1, meter="none", output=tmp_path, store="none", replicas=ReplicaOptions(workers=2))
    planned = plan(str(tiny_llama), suite=(), task="piqa", options=options)

    def begun(*_: object) -> None:
        raise AssertionError("workers were begun")

    monkeypatch.setattr(fleet, "connected", begun)
    with closing(RunWriter(tmp_path, planned.spec)), pytest.raises(RecordLockedError, match=f"pid {os.getpid()}"):
        evaluate(str(tiny_llama), task="piqa", options=options)
