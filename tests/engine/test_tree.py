"""The prefix tree and its cuts, as pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from harness.engine.tree import Forest, plant

tokens = st.integers(0, 2)
families = st.lists(
    st.tuples(
        st.lists(tokens, max_size=300), st.lists(st.lists(tokens, min_size=1, max_size=40), min_size=1, max_size=8)
    ),
    max_size=6,
)


@st.composite
def drawn_sequences(draw):
    """Families that share a prefix, each sequence with how much of it a stem may hold."""
    sequences = {(*prefix, *suffix): None for prefix, suffixes in draw(families) for suffix in suffixes}
    return {sequence: draw(st.integers(0, len(sequence) - 1)) for sequence in sequences}


def read(forest: Forest, row, end: int):
    """The sequence that ends at a token of a row, read along its parents and then its stem."""
    path = []
    while end >= 0:
        assert row.parents[end] < end
        path.append(row.tokens[end])
        end = row.parents[end]
    return (*forest.stem, *reversed(path))


@given(drawn_sequences())
def test_every_sequence_ends_in_exactly_one_row_and_is_whole_there(sequences):
    found = [
        (sequence, read(forest, row, end))
        for forest in plant(sequences)
        for row in forest.rows
        for sequence, end in row.ends.items()
    ]
    assert sorted(sequence for sequence, _ in found) == sorted(sequences)
    assert all(sequence == whole for sequence, whole in found)


@given(drawn_sequences())
def test_no_token_is_read_where_no_sequence_needs_it(sequences):
    for forest in plant(sequences):
        for row in forest.rows:
            needed = set()
            for end in row.ends.values():
                while end >= 0:
                    needed.add(end)
                    end = row.parents[end]
            assert needed == set(range(len(row.tokens)))


@given(drawn_sequences())
def test_a_stem_holds_nothing_behind_which_a_prediction_is_asked(sequences):
    for forest in plant(sequences):
        assert forest.chain == tuple(sorted(set(forest.chain)))
        assert not forest.stem or forest.chain[-1] == len(forest.stem)
        for row in forest.rows:
            assert all(len(forest.stem) <= sequences[sequence] for sequence in row.ends)


@given(drawn_sequences())
def test_no_more_is_read_than_one_sequence_at_a_time_would(sequences):
    rows = sum(len(row.tokens) for forest in plant(sequences) for row in forest.rows)
    assert rows <= sum(map(len, sequences))


@given(drawn_sequences())
def test_the_trunk_is_a_path_that_all_sequences_of_the_row_share(sequences):
    for forest in plant(sequences):
        for row in forest.rows:
            assert row.parents[: row.trunk] == tuple(range(-1, row.trunk - 1))
            start = len(forest.stem)
            trunk = row.tokens[: row.trunk]
            assert all(sequence[start : start + row.trunk] == trunk for sequence in row.ends)


@given(drawn_sequences(), st.randoms())
def test_the_order_of_the_sequences_does_not_matter(sequences, random):
    shuffled = list(sequences.items())
    random.shuffle(shuffled)
    assert plant(dict(shuffled)) == plant(sequences)


def test_choices_of_one_question_become_one_row():
    question = tuple(range(100, 130))
    sequences = {(*question, 1, choice): 30 for choice in range(5)}
    (forest,) = plant(sequences)
    (row,) = forest.rows
    assert forest.stem == ()
    assert (len(row.tokens), row.trunk) == (30 + 1 + 5, 31)


def test_exemplars_that_all_questions_share_become_a_stem():
    exemplars = tuple(range(1000, 1400))
    questions = [tuple(range(10 * n, 10 * n + 60)) for n in range(40)]
    sequences = {(*exemplars, *question, choice): 460 for question in questions for choice in range(4)}
    (forest,) = plant(sequences)
    assert forest.stem == exemplars
    assert forest.chain == (400,)
    assert sum(len(row.tokens) for row in forest.rows) < 1.1 * 40 * 64


def test_a_beginning_of_two_words_is_no_stem():
    sequences = {(1, 2, *range(10 * n, 10 * n + 50)): 40 for n in range(3, 12)}
    (forest,) = plant(sequences)
    assert forest.stem == ()
    assert len(forest.rows) == 9


def test_a_long_document_with_many_questions_is_read_once():
    document = tuple(range(2000, 2700))
    sequences = {(*document, *range(30 * n, 30 * n + 30)): 720 for n in range(20)}
    forests = plant(sequences)
    assert sum(len(row.tokens) for forest in forests for row in forest.rows) == 20 * 30
    assert {forest.stem for forest in forests} == {document}


def test_groups_that_come_to_the_same_stem_share_it():
    """Answers with four first tokens behind a question of nine, from whose end on logits are needed.

    Four groups are too few for a stem; each of them is large enough for one, which is the question every time.
    """
    question = tuple(range(9))
    answers = [(100 + first, second, third) for first in range(4) for second in range(50) for third in range(12)]
    forests = plant({question + answer: 8 for answer in answers})
    read = [sequence for forest in forests for row in forest.rows for sequence in row.ends]
    assert sorted(read) == sorted(question + answer for answer in answers)
    assert {forest.stem for forest in forests} == {question[:8]}


def test_nothing_to_read_is_no_forest():
    assert plant({}) == []
