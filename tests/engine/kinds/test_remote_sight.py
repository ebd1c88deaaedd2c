"""Pictures in the questions to a served chat."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checkpoints import resolve
from harness.core.errors import ModelError
from harness.core.media import OBJECT
from harness.core.models import Model, respond
from harness.core.requests import Conversation, MultimodalGenerateUntil, MultimodalLoglikelihood
from harness.engine.opening import open_model
from tests.engine.kinds.test_vision_language import PICTURES
from tests.served import Served, serving

ASKED = MultimodalGenerateUntil(context=f"Here {OBJECT} and there {OBJECT}: alike?", media=PICTURES[:2], max_tokens=8)


@pytest.fixture
def served(tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    with serving(Served(folder=tiny_llama, gives_logprobs=False)) as found:
        yield found


def opened(served: Served) -> Model:
    return open_model(resolve(f"openai:{served.url}#{served.name}"))


def test_each_picture_stands_in_its_place_as_a_url_that_holds_its_bytes(served: Served) -> None:
    (answer,) = respond(opened(served), [ASKED])
    assert answer.text is not None
    (turn,) = served.bodies[-1]["messages"]
    texts = [part["text"] for part in turn["content"] if part["type"] == "text"]
    urls = [part["image_url"]["url"] for part in turn["content"] if part["type"] == "image_url"]
    assert [part["type"] for part in turn["content"]] == ["text", "image_url", "text", "image_url", "text"]
    assert texts == ["Here ", " and there ", ": alike?"]
    heads, bodies = zip(*(url.split(",") for url in urls), strict=True)
    assert set(heads) == {"data:image/png;base64"}
    assert [base64.b64decode(body) for body in bodies] == [one.data for one in PICTURES[:2]]


def test_pictures_of_earlier_turns_come_first(served: Served) -> None:
    before = (("user", f"{OBJECT}What?"), ("assistant", "A fox."))
    asked = MultimodalGenerateUntil(
        context=f"{OBJECT}And this?", media=PICTURES[:2], max_tokens=8, chat=Conversation(before=before)
    )
    list(respond(opened(served), [asked]))
    first, second, third = (turn["content"] for turn in served.bodies[-1]["messages"])
    assert second == "A fox."
    for content, medium in ((first, PICTURES[0]), (third, PICTURES[1])):
        assert base64.b64decode(content[0]["image_url"]["url"].split(",")[1]) == medium.data


def test_what_cannot_be_asked_costs_that_answer_alone_or_is_refused(served: Served) -> None:
    few = MultimodalGenerateUntil(context=f"{OBJECT}{OBJECT}", media=PICTURES[:1], max_tokens=8)
    found = {one.request_id: one for one in respond(opened(served), [few, ASKED])}
    assert found[few.id].invalid == "its text has 2 places for pictures, and it has 1 of them"
    assert found[ASKED.id].text is not None
    with pytest.raises(ModelError, match="reads no texts with pictures in them"):
        list(respond(opened(served), [MultimodalLoglikelihood(context=OBJECT, continuation=" a", media=PICTURES[:1])]))
