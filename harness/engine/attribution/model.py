"""A model that also explains its decisions."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from harness.core import registry
from harness.core.attributions import Attribution
from harness.core.errors import HarnessError
from harness.core.media import AUDIO, IMAGE, media_type_of
from harness.core.models import Batch, Model
from harness.core.process.isolation import StepFailed, attempt, is_foreign
from harness.core.requests import Attribute, AttributePicture, AttributeSound, Request, Response
from harness.core.text.reasons import Reason
from harness.core.text.words import word_ends
from harness.engine.attribution.ablations import Unusable
from harness.engine.attribution.units import cells_of, segments_of, token_ends, units_of

if TYPE_CHECKING:
    from harness.engine.attribution.explaining import Explainer

__all__ = ["AttributingModel"]

_log = logging.getLogger(__name__)


class AttributingModel(Model):
    """Answers `Attribute` requests by asking `model` about parts of their texts, and all others by passing them on.

    `box` gives the gradients (see `WhiteBox`); without one, only methods that take no gradients can be asked for.
    A request is a batch of its own, since what it asks
    fills batches of the inner model: so neither its neighbours nor their order touch its answer.
    """

    def __init__(self, model: Model, box: Any = None) -> None:
        self.model = model
        self.box = box
        self._planned: set[str] = set()

    @override
    def plan(self, requests: Sequence[Request]) -> list[Batch]:
        """The inner model's batches, then one for each decision to explain."""
        explained = sorted((one for one in requests if isinstance(one, Attribute)), key=lambda one: one.id)
        others = [one for one in requests if not isinstance(one, Attribute)]
        self._planned.update(one.id for one in others)
        return [*self.model.plan(others), *(Batch((one,)) for one in explained)]

    @override
    def answer(self, batch: Batch) -> Sequence[Response]:
        first = batch.requests[0]
        return [self._explained(first)] if isinstance(first, Attribute) else self.model.answer(batch)

    def _explained(self, request: Attribute) -> Response:
        # Imported late: captum takes a second, which a run without explanations need not pay.
        from harness.engine.attribution.explaining import Explainer

        try:
            units = self._units(request)
            methods: Sequence[Any] = [registry.make("harness.attributions", name) for name in request.methods]
            if isinstance(request, AttributePicture):
                request, methods = self._of_pixels(request, methods)
            elif isinstance(request, AttributeSound):
                request, methods = _of_moments(request, methods)
            explainer = Explainer(model=self.model, methods=methods, box=self.box, planned_ids=self._planned)
            if not is_foreign(map(type, methods)):
                return Response(request_id=request.id, attribution=explainer.explain(request, units))
            return Response(request_id=request.id, attribution=_attempted(explainer, request, units))
        except Unusable as reason:
            _log.info("a decision can't be explained: %s", reason)
            return Response(request_id=request.id, invalid=reason.reason)

    def _of_pixels(self, request: AttributePicture, methods: Sequence[Any]) -> tuple[AttributePicture, Sequence[Any]]:
        """The request and the methods as they can be answered. Raises `Unusable` where they can't."""
        if not request.media or media_type_of(request.media[0]) != IMAGE:
            raise Unusable("there is no picture to explain")
        if self.box is None or not self.box.follows_pictures:
            methods = [method for method in methods if not method.needs_gradients]
        if not methods:
            raise Unusable("gradients aren't followed into this model's pictures: ask for methods that take parts out")
        return replace(request, settings=replace(request.settings, noises=0, randomise=False)), methods

    def _units(self, request: Attribute) -> tuple[str, ...]:
        if isinstance(request, AttributePicture):
            return cells_of(*request.grid)
        if isinstance(request, AttributeSound):
            return segments_of(request.segments)
        text = request.context[request.start : request.stop]
        if request.unit == "word":
            ends = word_ends(text)
        elif self.box is not None and self.box.tokenizer.is_fast:
            ends = token_ends(self.box.tokenizer, text)
        else:
            raise Unusable("its tokenizer doesn't tell where in the text a token stands: explain words instead")
        units = units_of(text, ends, request.max_units)
        if len(units) < 2:
            raise Unusable("the text to explain has fewer than two units, so none can matter more than another")
        return units


def _of_moments(request: AttributeSound, methods: Sequence[Any]) -> tuple[AttributeSound, Sequence[Any]]:
    """The request and the methods as they can be answered. Raises `Unusable` where they can't."""
    if not request.media or media_type_of(request.media[0]) != AUDIO:
        raise Unusable("there is no sound to explain")
    methods = [method for method in methods if not method.needs_gradients]
    if not methods:
        raise Unusable("gradients aren't followed into sounds: ask for methods that take parts out")
    return replace(request, settings=replace(request.settings, noises=0, randomise=False)), methods


def _attempted(explainer: "Explainer", request: Attribute, units: Sequence[str]) -> Attribution:
    """Raises `Unusable` where the method of a plug-in fails, in whatever way."""
    try:
        return attempt(lambda: explainer.explain(request, units))
    except StepFailed as failed:
        failed.give_back(Unusable, HarnessError)
        raise Unusable(Reason("an attribution method of a plug-in {failed}", failed=str(failed))) from failed
