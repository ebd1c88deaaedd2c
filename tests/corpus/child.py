"""Runs commands of the harness under limits, each in a fork of this process.

It imports everything once, and then forks for each job, a line of JSON on standard input; that spares each entry the
seconds that importing torch takes. With `--fresh` it imports nothing beforehand, so that each fork is as an interpreter
of its own, and counts what users wait for.
"""

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

MEMORY_BYTES = 2 << 30
CPU_S = 10
"""On the processor, with all that the command starts: on a busy machine that is hardly more."""
START_S = 20
"""More for an interpreter of its own, which has torch, transformers and peft to import."""
PATIENCE_S = 120
TRIAL_CPU_S = 5 if "HARNESS_CORPUS_FRESH" in os.environ else 2
"""What the harness gives a stranger's program: 5 seconds, of which most tests don't wait for the last ones."""
MODULES = (
    *("harness.cli", "harness.engine.opening", "harness.engine.kinds.causal", "harness.run.pipeline"),
    *("harness.store.migrations", "transformers.models.llama.modeling_llama", "typer.rich_utils"),
)
BOUNDS = (
    *(("harness.checkpoints.loading.confined", "CPU_S"), ("harness.checkpoints.loading.rehearsal", "CPU_S")),
    *(("harness.checkpoints.loading.rehearsed_adapter", "CPU_S"), ("harness.checkpoints.chat_templates", "CPU_S")),
    *(("harness.engine.rendering", "CPU_S"), ("harness.lm_eval.templates", "CPU_S")),
    ("harness.lm_eval.data", "LOADING_CPU_S"),
)
"""Where the harness has these 5 seconds."""
CHANGES = {
    "os.remove": (0, 1),
    "os.rename": (0, 2),
    "os.mkdir": (0, 2),
    "os.rmdir": (0, 1),
    "os.truncate": (0, None),
    "os.link": (1, 3),
    "os.symlink": (1, 2),
}
"""Events by which something comes, goes or changes: which argument is its path, and which the folder it is below."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def run(job: dict[str, Any]) -> None:
    """Run the command and leave this process. It dies if it takes too long; memory beyond the limit is refused."""
    report = os.open(job["report"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(job["cwd"])
    os.environ.update(job["environment"])
    tempfile.tempdir = None  # found out anew, by that environment
    _limit(job["seconds"])
    _watch(report, [os.devnull, *(os.path.realpath(Path(job["cwd"]) / name) for name in job["writable"])])
    sys.argv = ["harness", *job["command"]]
    from harness.cli import main

    main()


def _limit(seconds: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(PATIENCE_S)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    # Threads and torch's libraries map far more than they use, so the limit is upon what is added to them.
    room = MEMORY_BYTES if "torch" in sys.modules else 4 * MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (mapped + room, mapped + room))


def _watch(report: int, writable: list[str]) -> None:
    """Report each write outside of the writable folders, each connection, and each program that is started."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str | bytes):
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            if flags & WRITING and not _within(arguments[0]):
                told("write", arguments[0])
        elif event in CHANGES:
            if not _allows(changed := _changed(event, arguments)):
                told(event, changed)
        elif event in ("os.system", "os.exec", "socket.connect", "subprocess.Popen"):
            told(event, arguments[:2])

    def _within(path: Any) -> bool:
        return _allows(os.path.realpath(os.fsdecode(path)))

    def _allows(real: str) -> bool:
        return any(real == allowed or real.startswith(allowed + os.sep) for allowed in writable)

    def told(event: str, what: Any) -> None:
        os.write(report, f"{event}\t{what!r}\n".encode())

    sys.addaudithook(hook)


def _changed(event: str, arguments: tuple[Any, ...]) -> str:
    """The path that one of `CHANGES` is about: of a link itself, and not of what it leads to."""
    which, below = CHANGES[event]
    descriptor = -1 if below is None else arguments[below]
    folder = Path("" if descriptor == -1 else f"/proc/self/fd/{descriptor}").resolve()
    path = folder / os.fsdecode(arguments[which])
    return str(path.parent.resolve() / path.name)


def serve(*, fresh: bool) -> None:
    """Run each job in a fork; answer with its exit code (negative: the signal), processor time and peak memory."""
    for name in () if fresh else MODULES:
        import_module(name)
    bounds = [] if fresh else [(import_module(module), name) for module, name in BOUNDS]
    assert all(getattr(module, name) == 5 for module, name in bounds)
    for module, name in bounds:
        setattr(module, name, TRIAL_CPU_S)
    gc.freeze()  # else the collector of each fork copies all of this process's pages
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _finish(json.loads(line))
        _, status, usage = os.wait4(child, 0)
        told = {"exit_code": os.waitstatus_to_exitcode(status), "peak_bytes": usage.ru_maxrss * 1024}
        told["cpu_s"] = usage.ru_utime + usage.ru_stime
        print(json.dumps(told), flush=True)


def _finish(job: dict[str, Any]) -> NoReturn:
    """Run the command and leave without tidying up, which takes seconds where torch is in memory."""
    code: Any = 1
    try:
        run(job)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    serve(fresh="--fresh" in sys.argv)
