"""Files of pictures and sounds that would fill the memory, lead elsewhere or aren't what they say."""

from tests.corpus.entry import Scene, entry
from tests.corpus.media.scenes import heard, seen
from tests.media.test_admission import ENTITIES, hours, png, wav

__all__: list[str] = []


@entry("media", "bomb.png", "pixels", "the limit")
def picture_of_a_billion_pixels(scene: Scene) -> None:
    seen(scene, "bomb.png", png(40_000, 40_000))


@entry("media", "drawing.png", "is no picture of a kind that is read")
def picture_with_entities_and_a_reference(scene: Scene) -> None:
    seen(scene, "drawing.png", ENTITIES)


@entry("media", "'/etc/passwd'", "lies outside of its folder")
def picture_elsewhere(scene: Scene) -> None:
    seen(scene, "/etc/passwd", None)


@entry("media", "fast.wav", "has 1,000,000,000 samples a second", "which is not from")
def sound_of_a_billion_samples_a_second(scene: Scene) -> None:
    heard(scene, "fast.wav", wav(100, 10**9))


@entry("media", "long.flac", "lasts 36,000 seconds", "the limit is")
def sound_of_ten_hours(scene: Scene) -> None:
    heard(scene, "long.flac", hours(10))
