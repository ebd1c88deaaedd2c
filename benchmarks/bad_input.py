"""What lm-evaluation-harness does on the corpus of bad inputs: `python -m benchmarks.bad_input` prints a table.

Each entry is made in a folder of its own and evaluated there in a fork with limits of 60 s and 4 GB beyond what the
libraries map. Entries that are of suite files, which lm-eval doesn't have, are left out.
"""

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.conftest import write_suite
from tests.corpus.entry import Entry, Scene, registered
from tests.corpus.suites import TASK
from tests.corpus.test_corpus import registered as _registered  # noqa: F401 - imports every generator
from tests.tiny import build_tiny_checkpoint

SECONDS = 60
MEMORY_BYTES = 4 << 30
LEFT_OUT = ("poisoned_cache", "poisoned_request_cache", "no_pad")


def main() -> None:
    """Print a row an entry: its name and what lm-eval did."""
    os.environ.update({"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "HF_DATASETS_CACHE": "datasets"})
    import lm_eval.models.huggingface
    import lm_eval.tasks

    assert lm_eval.tasks
    wanted = sys.argv[1:]
    with TemporaryDirectory() as root:
        sound = build_tiny_checkpoint(Path(root) / "sound")
        print("| entry | lm-eval |\n|---|---|")
        for name, entry in registered().items():
            if name in LEFT_OUT or (entry.group == "suite" and "lm-eval:planted" not in entry.command):
                continue
            if not wanted or name in wanted:
                print(f"| `{name}` | {_tried(entry, Path(root) / name, sound)} |", flush=True)


def _tried(entry: Entry, folder: Path, sound: Path) -> str:
    shutil.copytree(sound, folder / "model")
    write_suite(folder)
    scene = Scene(folder)
    entry.make(scene)
    if not (folder / "tasks").exists():
        (folder / "tasks").mkdir()
        rows = str(folder / "questions.jsonl")
        (folder / "tasks" / "planted.yaml").write_text(TASK.replace("ROWS", rows).replace("TEXT", '"{{question}}"'))
    child = os.fork()
    if not child:
        _evaluate(folder, chat="--apply-chat-template" in entry.command)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    told = folder / "told"
    what = (
        told.read_text() if told.exists() else f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
    )
    ran = "; **ran the code**" if scene.marker.exists() else ""
    return f"{what}{ran} ({usage.ru_utime + usage.ru_stime:.0f} s, {usage.ru_maxrss / 1e6:.1f} GB)"


def _evaluate(folder: Path, *, chat: bool) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    os.chdir(folder)
    with Path("log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    signal.alarm(SECONDS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY_BYTES, mapped + MEMORY_BYTES))
    try:
        results = simple_evaluate(
            model="hf",
            model_args="pretrained=./model,dtype=float32,device=cpu",
            tasks=["planted"],
            task_manager=TaskManager(include_path="tasks", include_defaults=False),
            apply_chat_template=chat,
            bootstrap_iters=0,
        )
        told = "accuracy " + json.dumps(results["results"]["planted"]["acc,none"])
    except BaseException as error:
        first = next(iter(str(error).strip().splitlines()), "")[:110].replace("|", "\\|").replace(str(folder), ".")
        told = f"traceback: {type(error).__name__}: {first}"
    with contextlib.suppress(OSError):
        Path("told").write_text(told)
    os._exit(0)


if __name__ == "__main__":
    main()
