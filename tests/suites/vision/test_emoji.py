"""Emoji as the data have them: some twice, as a picture and as a text's character."""

from typing import Any

from harness.core.tasks import TaskSettings
from suites.vision.emoji import LANGUAGES, EmojiNames

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><rect x="9" y="9" width="54" height="54"/></svg>'


def rows(name: str, points: str, spelt: str = "{}") -> dict[str, Any]:
    return {"points": points, "svg": SQUARE, "names": {one: spelt.format(f"{name} {one}") for one in LANGUAGES}}


def test_an_emoji_is_asked_about_once_and_its_other_spelling_is_no_wrong_answer():
    twice = [
        row for number in range(6) for row in (rows("sun", f"26{number:02}"), rows("sun", f"26{number:02}", "-{}"))
    ]
    for number, row in enumerate(twice):
        row["names"] = {one: f"{name} {number // 2}" for one, name in row["names"].items()}
    for seed in range(3):
        samples = EmojiNames().samples(twice, TaskSettings(limit=None, num_fewshot=0, seed=seed))
        assert len({one.id for one in samples}) == len(samples) == 6
        assert all(len({choice.strip("-") for choice in one.choices}) == 4 for one in samples)
