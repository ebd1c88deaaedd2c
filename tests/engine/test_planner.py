"""The planner, as a pure function."""

from hypothesis import given
from hypothesis import strategies as st

from harness.engine.lengths import ALIKE, Lengths
from harness.engine.planner import cut, pack_alone, pack_shared

sequences = st.dictionaries(st.lists(st.integers(0, 3), min_size=1, max_size=12).map(tuple), st.just(0), max_size=40)
groups = st.lists(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=12).map(tuple), min_size=1, max_size=3).map(tuple),
    max_size=30,
)
budgets = st.integers(1, 80)


def padded(pack):
    return len(pack.rows) * max(len(row.tokens) for row in pack.rows)


@given(sequences, budgets)
def test_every_sequence_is_in_exactly_one_pack(drawn, budget):
    packs = pack_shared(drawn, budget)
    assert sorted(inputs for pack in packs for row in pack.rows for inputs in row.ends) == sorted(drawn)


@given(sequences, budgets, st.randoms())
def test_the_order_of_the_sequences_does_not_matter(drawn, budget, random):
    shuffled = list(drawn.items())
    random.shuffle(shuffled)
    assert pack_shared(dict(shuffled), budget) == pack_shared(drawn, budget)


@given(sequences, budgets)
def test_a_pack_keeps_the_budget_unless_it_is_a_single_row(drawn, budget):
    assert all(padded(pack) <= budget or len(pack.rows) == 1 for pack in pack_shared(drawn, budget))


@given(groups, budgets)
def test_every_group_is_answered_by_one_pack_that_holds_all_its_rows(drawn, budget):
    packs = pack_alone(drawn, budget, ALIKE.way)
    assert sorted(index for _, indices in packs for index in indices) == list(range(len(drawn)))
    for pack, indices in packs:
        rows = {inputs for row in pack.rows for inputs in row.ends}
        assert rows == {inputs for index in indices for inputs in drawn[index]}
        assert all(row.is_path for row in pack.rows)
        assert padded(pack) <= budget or len({drawn[index] for index in indices}) == 1


@given(groups, budgets, st.randoms())
def test_the_order_of_the_groups_does_not_matter(drawn, budget, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    assert [pack for pack, _ in pack_alone(shuffled, budget, ALIKE.way)] == [
        pack for pack, _ in pack_alone(drawn, budget, ALIKE.way)
    ]


@given(groups, budgets, st.integers(0, 12), st.booleans())
def test_no_pack_holds_lengths_of_two_ways(drawn, budget, switch, each):
    lengths = Lengths(switch, each=each)
    alike = [tuple((group[0] * 12)[: len(group[0])] for _ in group) for group in drawn]
    for pack, _ in pack_alone(alike, budget, lengths.way):
        assert len({lengths.way(len(row.tokens)) for row in pack.rows}) == 1


def test_rows_much_shorter_than_the_longest_are_not_padded_to_it():
    packs = pack_alone([((0,) * 1000,), ((1,) * 100,)], 10_000, ALIKE.way)
    assert [len(pack.rows) for pack, _ in packs] == [1, 1]


@given(st.lists(st.integers(1, 50), max_size=40).map(lambda lengths: sorted(lengths, reverse=True)), budgets)
def test_cut_covers_all_rows_in_order_within_the_budget(lengths, budget):
    ranges = cut(lengths, budget)
    assert [index for part in ranges for index in part] == list(range(len(lengths)))
    assert all(len(part) * lengths[part[0]] <= budget or len(part) == 1 for part in ranges)
