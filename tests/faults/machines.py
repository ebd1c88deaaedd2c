"""Several machines on one: nodes of a cluster by `ray start`, each with a name and a view of the files of its own."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.faults.shared import descendants

__all__ = ["Head", "Machine", "namespaces"]

BEGIN_S = 300.0
_RAY = str(Path(sys.executable).parent / "ray")
_ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}


def namespaces() -> bool:
    """Whether this machine lets a process have a host name and mounts of its own."""
    tool = shutil.which("unshare")
    return tool is not None and subprocess.run([tool, "--uts", "--mount", "true"], check=False).returncode == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Machine:
    """One node. `hidden` is a folder that it sees empty, `environment` what else its processes know."""

    def __init__(
        self,
        name: str,
        folder: Path,
        words: tuple[str, ...],
        *,
        processors: int,
        hidden: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        own = folder / name
        (own / "empty").mkdir(parents=True)
        hide = f"mount --bind {own / 'empty'} {hidden} && " if hidden else ""
        begin = [_RAY, "start", "--block", "--node-ip-address", "127.0.0.1", "--num-cpus", str(processors)]
        begin += ["--object-store-memory", "80000000", "--min-worker-port", "0", "--max-worker-port", "0"]
        begin += ["--dashboard-agent-listen-port", str(free_port()), *words]
        self.name, self._said = name, own / "said.txt"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                ["unshare", "--uts", "--mount", "sh", "-c", f'hostname {name} && {hide}exec "$@"', "sh", *begin],
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_ENVIRONMENT, "TMPDIR": str(own), **(environment or {})},
            )
        until = time.monotonic() + BEGIN_S
        while "Ray runtime started" not in self._said.read_text():
            assert self.process.poll() is None, self._said.read_text()
            assert time.monotonic() < until, self._said.read_text()
            time.sleep(0.1)

    def lose(self) -> None:
        """All of its processes are killed at once, as when a machine loses its power."""
        processes = [psutil.Process(self.process.pid), *descendants(self.process.pid)]
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=30)
        self.process.wait()


class Head(Machine):
    """The first node, which has no workers; `address` is for those who are on the cluster, `clients` for others."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, processors: int = 0) -> None:
        port, client_port = free_port(), free_port()
        self.address, self.clients, self._folder = f"127.0.0.1:{port}", f"ray://127.0.0.1:{client_port}", folder
        self.others: list[Machine] = []
        words = ("--head", "--port", str(port), "--ray-client-server-port", str(client_port))
        words += ("--include-dashboard", "false", "--temp-dir", str(folder / "ray"))
        super().__init__("head", folder, words, processors=processors, environment=environment)

    def joined(self, name: str, *, hidden: Path | None = None, environment: Mapping[str, str] | None = None) -> Machine:
        """Another node of one processor."""
        words = ("--address", self.address)
        self.others.append(Machine(name, self._folder, words, processors=1, hidden=hidden, environment=environment))
        return self.others[-1]

    def lose_others(self) -> None:
        """All but this one."""
        for one in self.others:
            if one.process.poll() is None:
                one.lose()
        self.others.clear()
