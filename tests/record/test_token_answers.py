import json

from harness.core.requests import Response
from harness.core.text.hashing import canonical_json
from harness.record.codec import RESPONSES


def test_answers_by_token_come_back_from_the_journal_as_they_went_in() -> None:
    response = Response(
        request_id="a" * 64,
        loglikelihood=-3.0,
        token_loglikelihoods=(-1.0, -2.0),
        token_z_scores=(0.5, 0.0),
        token_is_greedy=(True, False),
        token_count=2,
    )
    back = RESPONSES.decode(json.loads(canonical_json(RESPONSES.encode(response))))
    assert back == response
    assert [type(value) for value in back.token_z_scores or ()] == [float, float]
