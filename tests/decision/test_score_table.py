"""Scores come out of the table as they went in, whichever are asked for and in whatever order."""

from dataclasses import asdict

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from harness.core.scores import Score
from harness.decision.keys import Key
from harness.decision.score_table import ScoreTable

SCORES = st.builds(
    Score,
    sample_id=st.sampled_from("abc"),
    metric=st.sampled_from(["acc", "flip_rate"]),
    value=st.none() | st.floats(0, 1),
    gold=st.none() | st.sampled_from(["yes", "no"]),
    groups=st.dictionaries(st.sampled_from(["sex", "class"]), st.text(max_size=3), max_size=2),
    invalid=st.none() | st.just("too long"),
)
ROWS = st.lists(
    st.tuples(st.sampled_from(["accuracy", "fairness"]), st.sampled_from(["piqa", "bbq"]), SCORES), min_size=1
)


@given(ROWS, st.randoms(use_true_random=False))
def test_each_key_has_its_scores_in_the_order_of_the_table(rows, rng):
    table = ScoreTable(
        pd.DataFrame(
            {"suite": suite, "task": task, **asdict(score), "groups": list(score.groups.items())}
            for suite, task, score in rows
        )
    )
    expected = {}
    for suite, task, score in rows:
        expected.setdefault(Key(suite, task, score.metric), []).append(score)
    assert list(table) == list(expected)
    for key in rng.sample(list(expected), len(expected)):
        assert table[key] == expected[key]
    assert Key("accuracy", "piqa", "no such metric") not in table
