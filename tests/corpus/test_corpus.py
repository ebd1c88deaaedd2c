"""Each bad input gives exit code 2 and one message, runs no code, writes nothing elsewhere, and costs little.

The long way, a fresh interpreter for each, is `make corpus`.
"""

import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from tests import corpus
from tests.corpus.child import MEMORY_BYTES
from tests.corpus.conftest import CPU_LIMIT_S, Runner
from tests.corpus.entry import Entry, Scene, registered

EXPECTED = re.compile(
    r"'uname', '-p'|'-P', '.*/(checkpoints/loading/trial|media/admitting)\.py'|^write\t'/proc/self/clear_refs'$"
)
"""What the harness itself does: it asks for the processor's name and the peak memory, and reads some files apart."""

for _module in iter_modules(corpus.__path__):
    if not _module.name.startswith("test_"):
        import_module(f"{corpus.__name__}.{_module.name}")  # which registers its entries


@pytest.mark.parametrize("entry", [pytest.param(entry, id=name) for name, entry in registered().items()])
def test_the_input_is_refused_in_one_message(entry: Entry, scene: Scene, harness_limited: Runner) -> None:
    entry.make(scene)
    before = scene.contents()
    outcome = harness_limited(scene, entry.command, entry.environment)
    told = outcome.stdout + outcome.stderr
    assert outcome.exit_code == entry.exit_code, told
    assert "Traceback" not in told
    said = " ".join(outcome.stderr.split()) if entry.exit_code else told
    assert not [word for word in entry.says if word not in said], said
    assert entry.exit_code == 0 or said.count("harness: ") == 1, said
    assert not scene.marker.exists()
    assert not [deed for deed in outcome.deeds if not EXPECTED.search(deed)]
    assert scene.contents() == before
    assert outcome.peak_bytes < MEMORY_BYTES
    assert outcome.cpu_s < CPU_LIMIT_S
