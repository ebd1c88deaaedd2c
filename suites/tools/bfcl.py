"""BFCL's questions of a single turn: functions that are described, and the calls that a request needs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from typing_extensions import override

from harness.core.errors import DataError
from harness.core.metrics import Mean, Metric
from harness.core.requests import GenerateUntil, Response, Tools
from harness.core.scores import Score
from harness.core.tasks import Row, Sample, TaskSettings
from harness.metrics.written import WRITTEN
from harness.tasks.extraction import Extracted
from harness.tasks.written import Draw, Written
from suites.tools.calls import MARKS, Calls, calls_in
from suites.tools.checking import Function, fault_of

__all__ = ["BFCLIrrelevance", "BFCLMultiple", "BFCLParallel", "BFCLSimple"]

ASKED = (
    "These functions can be called. They are described in JSON:\n{functions}\n\n"
    "Answer the request with the calls that it needs and nothing else, as a list in Python's syntax: "
    '[name(argument=1, other="text"), name(argument=2)]. If no function can do what is asked, or a value that it needs '
    "isn't given, call none and say so.\n\nRequest: {question}\nCalls:"
)
"""What a model is asked whose template has no format for functions."""
_SCHEMA = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}
"""Types of JSON schema, by what BFCL calls them; others have the same name."""

HALLUCINATED = Mean(
    name="hallucinated_functions",
    unit="share",
    direction="lower",
    lowest=0.0,
    highest=1.0,
    source="Patil et al., Gorilla (2023): calls of an API that isn't among those that were given",
    meaning="""
    In [0, 1]: share of answers that call a function that wasn't given. Right ones never do; a wrong one may call a
    function that there is, and an answer without calls, or a cut one, calls none: read it beside `unparsed` and `cut`.
    """,
)


class _Category(Written):
    """Questions of one category of BFCL."""

    category: ClassVar[str]
    data = "bfcl"
    default_limit = 4
    supports_fewshot = False
    until = ("\nRequest:",)
    max_tokens = 96
    metrics: Sequence[Metric] = (*WRITTEN, HALLUCINATED)

    @override
    def samples(self, rows: Sequence[Row], settings: TaskSettings) -> Sequence[Sample]:
        """Of the rows of its category, each with what the publisher wants for it."""
        wanted = {row["id"]: row["ground_truth"] for row in rows if row["class"] == f"{self.category}_answers"}
        asked = [{**row, "wanted": wanted.get(row["id"])} for row in rows if row["class"] == self.category]
        return super().samples(asked, settings)

    @override
    def sample(self, row: Row) -> Sample:
        functions, wanted = row["function"], self._wanted(row)
        try:
            ((turn,),) = row["question"]
            question = str(turn["content"])
        except (ValueError, TypeError, KeyError) as error:
            raise DataError("isn't a single turn of one message") from error
        return Sample(
            id="",
            prompt=ASKED.format(functions=json.dumps(functions, ensure_ascii=False), question=question),
            gold=json.dumps(wanted, ensure_ascii=False),
            fields={"functions": functions, "wanted": wanted, "question": question},
        )

    def _wanted(self, row: Row) -> Sequence[Mapping[str, Any]]:
        if not row["wanted"]:
            raise DataError("has no answer of its publisher's")
        found: Sequence[Mapping[str, Any]] = row["wanted"]
        return found

    @override
    def sample_id(self, index: int, row: Row) -> str:
        """The publisher's, such as parallel_0."""
        return str(row["id"])

    @override
    def requests(self, sample: Sample) -> Sequence[GenerateUntil]:
        """With the functions also as chat templates take them."""
        functions = [_as_tool(function) for function in sample.fields["functions"]]
        tools = Tools(question=sample.fields["question"], functions=json.dumps(functions, ensure_ascii=False))
        return [replace(request, tools=tools) for request in super().requests(sample)]

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """The text, where it makes calls that can be read."""
        found = calls_in(text)
        return Extracted(answer=text, by=found.by) if found else None

    @override
    def is_right(self, sample: Sample, answer: str) -> bool:
        return self._fault(sample, answer) is None

    @override
    def ballot(self, sample: Sample, answer: str) -> str:
        """The same calls in another format are one answer."""
        found = calls_in(answer)
        return found.text if found else ""

    @override
    def score(self, sample: Sample, responses: Sequence[Response]) -> Sequence[Score]:
        """Beside those of any written answer, whether it calls what there isn't."""
        scores = super().score(sample, responses)
        return scores if scores[0].invalid else [*scores, self._hallucinated(scores[0], sample, responses)]

    def _hallucinated(self, blank: Score, sample: Sample, responses: Sequence[Response]) -> Score:
        given = {function["name"] for function in sample.fields["functions"]}
        found = [_calls(sample, one.text) for one in responses if not one.is_cut and one.text is not None]
        made_up = sum(any(call.name not in given for call in calls.calls) for calls in found if calls)
        return replace(blank, metric=HALLUCINATED.name, value=made_up / len(responses), groups={})

    @override
    def _draw(self, sample: Sample, response: Response) -> Draw:
        """With what is wrong with the calls, for people to see why an answer counted as it did."""
        draw = super()._draw(sample, response)
        if draw.outcome != "wrong" or draw.found is None:
            return draw
        return replace(draw, note=self._fault(sample, draw.found.answer) or "")

    def _fault(self, sample: Sample, answer: str) -> str | None:
        found = _calls(sample, answer)
        return fault_of(sample.fields["functions"], sample.fields["wanted"], found.calls if found else ())


class BFCLSimple(_Category):
    """One function that is described, and a request that needs it called once (Patil et al., 2025; BFCL v4, Python).

    What it measures. `accuracy_all` is the share of requests for which the function is called with the arguments that
    the publisher wants: names, types and values, some of which may be left out. `unparsed` is the share of finished
    answers without a call that can be read; `hallucinated_functions` the share that calls what wasn't given.

    Why it matters. Who builds on a model has it call functions, and a call is right or breaks the program.

    Limits. The check is this project's own, by the publisher's definitions. Nothing is run. Texts are compared without
    case, spaces and some signs; values that are right in another unit or wording are wrong. Functions are given in the
    chat template's own format where it has one, else described in the prompt, and so for served models; the two can't
    be compared. The requests are public since 2024. 4 requests by default: an error of up to 0.25.
    """

    name = "bfcl_simple"
    category = "simple"


class BFCLMultiple(_Category):
    """Two to four functions that are described, one of which has to be called (Patil et al., 2025; BFCL v4).

    What it measures. As `bfcl_simple`, with a choice: `accuracy_all` is the share of requests for which the right
    function is called with right arguments, and nothing else is.

    Why it matters. A model with tools has several, and the wrong one may do harm.

    Limits. Those of `bfcl_simple`. The other functions are of other matters more often than not.
    """

    name = "bfcl_multiple"
    category = "multiple"


class BFCLParallel(_Category):
    """One function, and a request that needs it called several times (Patil et al., 2025; BFCL v4).

    What it measures. As `bfcl_simple`: `accuracy_all` is the share of requests for which all calls that are wanted are
    made, in any order, and no other.

    Why it matters. To call one by one costs a turn for each.

    Limits. Those of `bfcl_simple`. Calls that are right but one count as wrong altogether.
    """

    name = "bfcl_parallel"
    category = "parallel"


class BFCLIrrelevance(_Category):
    """Functions that don't fit the request: none of them is to be called (Patil et al., 2025; BFCL v4).

    What it measures. `accuracy_finished` is the abstention rate: the share of finished answers that make no call. In
    `accuracy_all`, an answer that was cut isn't right, as it might have gone on to call. What is said instead isn't
    looked at, so a model that writes no calls at all is right each time: read it beside `bfcl_simple`, whose
    `unparsed` says how often that is.

    Why it matters. A model that calls whatever it is given does what nobody asked for.

    Limits. Those of `bfcl_simple`. What looks like a call and can't be read is `unparsed`.
    """

    name = "bfcl_irrelevance"
    category = "irrelevance"

    @override
    def _wanted(self, row: Row) -> Sequence[Mapping[str, Any]]:
        return ()

    @override
    def extract(self, sample: Sample, text: str) -> Extracted | None:
        """A text with calls, or without; none where something looks like a call and can't be read."""
        found = calls_in(text)
        if found is None and any(mark in text for mark in MARKS):
            return None
        return Extracted(answer=text, by=found.by if found else "no call")


def _calls(sample: Sample, text: str) -> Calls | None:
    """The calls of a text; outside Python a name may have `_` for each `.`, as no format allows dots."""
    found = calls_in(text)
    if found is None or found.by == "Python":
        return found
    given = {function["name"].replace(".", "_"): function["name"] for function in sample.fields["functions"]}
    return replace(found, calls=tuple(replace(one, name=given.get(one.name, one.name)) for one in found.calls))


def _as_tool(function: Function) -> dict[str, Any]:
    """A function as OpenAI's API and chat templates have it."""
    return {"type": "function", "function": _with_schema_types(function)}


def _with_schema_types(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_schema_types(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _SCHEMA.get(one, one) if name == "type" and isinstance(one, str) else _with_schema_types(one)
        for name, one in value.items()
    }
