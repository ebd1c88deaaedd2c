"""The planner, as a pure function."""

from hypothesis import given
from hypothesis import strategies as st

from harness.engine.planner import Job, cut, plan

rows = st.lists(st.integers(0, 3), min_size=1, max_size=12).map(tuple)
jobs = st.lists(
    st.tuples(st.lists(rows, min_size=1, max_size=3).map(tuple), st.integers(0, 5)), min_size=0, max_size=30
).map(lambda drawn: [Job(key=f"{i:03d}", rows=row, new_tokens=new) for i, (row, new) in enumerate(drawn)])
budgets = st.integers(1, 80)


@given(jobs, budgets)
def test_every_job_is_in_exactly_one_batch(jobs, budget):
    assert sorted(key for batch in plan(jobs, budget) for key in batch) == [job.key for job in jobs]


@given(jobs, budgets, st.randoms())
def test_the_order_of_the_jobs_does_not_matter(jobs, budget, random):
    shuffled = list(jobs)
    random.shuffle(shuffled)
    assert plan(shuffled, budget) == plan(jobs, budget)


@given(jobs, budgets)
def test_planning_a_batch_again_gives_that_batch(jobs, budget):
    by_key = {job.key: job for job in jobs}
    for batch in plan(jobs, budget):
        assert plan([by_key[key] for key in batch], budget) == [batch]


@given(jobs, budgets)
def test_a_batch_keeps_the_budget_unless_it_is_a_single_reading(jobs, budget):
    by_key = {job.key: job for job in jobs}
    for batch in plan(jobs, budget):
        readings = {(by_key[key].rows, by_key[key].new_tokens) for key in batch}
        padded = sum(len(rows) for rows, _ in readings) * max(by_key[key].width for key in batch)
        assert padded <= budget or len(readings) == 1


def test_requests_that_read_the_same_share_a_batch_whatever_the_budget():
    letters = [Job(key=letter, rows=((1, 2, 3),)) for letter in "ABCD"]
    assert plan(letters, 1) == [["A", "B", "C", "D"]]


def test_rows_much_shorter_than_the_longest_are_not_padded_to_it():
    jobs = [Job(key="long", rows=((0,) * 1000,)), Job(key="short", rows=((1,) * 100,))]
    assert plan(jobs, 10_000) == [["long"], ["short"]]


@given(st.lists(st.integers(1, 50), max_size=40).map(lambda lengths: sorted(lengths, reverse=True)), budgets)
def test_cut_covers_all_rows_in_order_within_the_budget(lengths, budget):
    ranges = cut(lengths, budget)
    assert [index for part in ranges for index in part] == list(range(len(lengths)))
    assert all(len(part) * lengths[part[0]] <= budget or len(part) == 1 for part in ranges)
