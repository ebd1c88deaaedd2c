"""Which text fits a picture, held against transformers' own forward pass."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoProcessor

from harness.checkpoints.resolver import resolve
from harness.core.errors import ModelError
from harness.core.models import respond
from harness.core.requests import Embed, MatchTexts
from harness.engine.opening import open_model
from harness.media.pictures import image_of, trial_picture
from tests.engine.kinds.test_vision_language import PICTURES
from tests.vision.checkpoints import CONTRASTIVE

TEXTS = ("a river", "two old houses by the water", "a fox")


@pytest.fixture(scope="module", params=sorted(CONTRASTIVE))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return CONTRASTIVE[request.param](tmp_path_factory.mktemp(request.param))


def test_probabilities_are_those_of_the_models_own_logits(folder: Path) -> None:
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder, backend="pil")
    requests = [MatchTexts(image=one, texts=TEXTS[:count]) for one in PICTURES for count in (2, 3)]
    engine = open_model(resolve(str(folder)))
    found = {one.request_id: one for one in respond(engine, requests)}
    for request in requests:
        inputs = processor(
            images=[image_of(request.image)], text=list(request.texts), return_tensors="pt", padding="max_length"
        )
        inputs.pop("token_type_ids", None)
        with torch.no_grad():
            expected = model(**inputs).logits_per_image[0].softmax(-1).tolist()
        scores = found[request.id].label_scores
        assert scores is not None
        assert list(scores) == list(request.texts)
        assert list(scores.values()) == pytest.approx(expected, abs=1e-5)
    assert engine.encoded_count == len(PICTURES)  # type: ignore[attr-defined]


def test_a_long_text_loses_its_end_and_says_so(folder: Path) -> None:
    request = MatchTexts(image=trial_picture(), texts=("a river", "a fox by the river " * 40))
    (answer,) = respond(open_model(resolve(str(folder))), [request])
    assert answer.label_scores is not None
    assert sum(answer.label_scores.values()) == pytest.approx(1)
    assert 0 < answer.unread_character_count < len(request.texts[1])


def test_it_is_found_by_its_architecture_and_embeds_no_texts(folder: Path) -> None:
    checkpoint = resolve(str(folder))
    assert checkpoint.kind == "contrastive"
    with pytest.raises(ModelError, match="can't answer requests of the kinds embed"):
        list(respond(open_model(checkpoint), [Embed(text="a river")]))
