"""Processors of models that hear, which would run code, fill the memory or aren't there."""

import json

from harness.checkpoints.senses.hearing import PROCESSOR
from tests.corpus.entry import Scene, entry
from tests.corpus.media.scenes import heard
from tests.media.test_admission import wav

__all__: list[str] = []


def _processor(scene: Scene, **fields: object) -> None:
    """Set fields of what makes features of a sound."""
    heard(scene, "sound.wav", wav(8000))
    content = json.loads((scene.model / PROCESSOR).read_text())
    content["feature_extractor"].update(fields)
    (scene.model / PROCESSOR).write_text(json.dumps(content))


@entry("media", "model", "holds no processor", "no picture or sound can be read")
def hearing_without_a_processor(scene: Scene) -> None:
    heard(scene, "sound.wav", wav(8000))
    (scene.model / PROCESSOR).unlink()


@entry("media", "model", "names Python code of the checkpoint's own", "--trust-remote-code")
def hearing_by_code_of_its_own(scene: Scene) -> None:
    _processor(scene, auto_map={"AutoFeatureExtractor": "evil.Evil"})
    (scene.model / "evil.py").write_text(scene.payload())
