"""What explains decisions survives the journal, and is sealed with the run that asked for it."""

import json

from harness.core.attributions import Attribution, AttributionSettings, MethodResult
from harness.core.requests import Attribute, Response
from harness.core.text.hashing import canonical_json
from harness.record import RunWriter
from harness.record.codec import RESPONSES
from harness.record.tables import attributions_of
from tests.record.test_record import ESTIMATE, SPEC, finish

REQUEST = Attribute(
    context="Good film?",
    continuations=(" yes", " no"),
    methods=("occlusion",),
    settings=AttributionSettings(seed=3, fractions=(0.5,)),
)
FOUND = Attribution(
    decision=1,
    target=" no",
    tie=False,
    probability=1.0,
    empty_probability=0.25,
    units=("Good", " film?"),
    methods=(
        MethodResult(name="occlusion", values=(2.0, -0.5), deletion=(0.0,), insertion=(1.0,), infidelity=3.0),
        MethodResult(name="random", values=(0.0, 1.0), deletion=(0.5,), insertion=(0.5,), randomised=(1.0, 2.0)),
    ),
)
RESPONSE = Response(request_id=REQUEST.id, attribution=FOUND)


def test_an_attribution_comes_back_from_the_journal_as_it_went_in():
    back = RESPONSES.decode(json.loads(canonical_json(RESPONSES.encode(RESPONSE))))
    assert back == RESPONSE
    numbers = (
        back.attribution.probability,
        *back.attribution.methods[0].values,
        back.attribution.methods[0].infidelity,
    )
    assert {type(number) for number in numbers} == {float}


def test_the_table_is_sealed_where_there_is_one(tmp_path):
    writer = RunWriter(tmp_path, SPEC)
    for name in ("environment.json", "checkpoint.json", "engine.json"):
        writer.write_json(name, {})
    record = writer.seal(
        responses=[],
        scores=[],
        estimates=[ESTIMATE],
        measurements=[],
        attributions=attributions_of("explainability", "one", "7", 0, REQUEST, RESPONSE),
    )
    table = record.attributions
    assert list(table["method"]) == ["occlusion", "random"]
    assert (list(table["tokens"][0]), list(table["values"][0])) == (["Good", " film?"], [2.0, -0.5])
    assert (table["sample_id"][0], table["target"][0], list(table["fractions"][0])) == ("7", " no", [0.5])
    (record.folder / "attributions.parquet").write_bytes(b"other")
    assert record.verify() == ["attributions.parquet was changed after the run"]


def test_a_run_without_explanations_has_an_empty_table_with_the_same_columns(tmp_path):
    table = finish(tmp_path).attributions
    assert table.empty
    assert {"method", "target", "tokens", "values"} <= set(table.columns)
