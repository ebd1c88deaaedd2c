from hypothesis import given
from hypothesis import strategies as st

from harness.core.tasks import TaskSettings, choose


def _settings(limit: int | None, num_fewshot: int, seed: int) -> TaskSettings:
    return TaskSettings(limit=limit, num_fewshot=num_fewshot, seed=seed)


counts, seeds, shots = st.integers(1, 200), st.integers(0, 2**32), st.integers(0, 10)


@given(counts, shots, seeds, st.integers(1, 100), st.integers(0, 100))
def test_a_larger_limit_holds_a_smaller_one(count: int, shot: int, seed: int, limit: int, more: int) -> None:
    exemplars, few = choose(count, _settings(limit, shot, seed), salt="task")
    same, many = choose(count, _settings(limit + more, shot, seed), salt="task")
    assert set(few) <= set(many)
    assert exemplars == same


@given(counts, shots, seeds, st.none() | st.integers(1, 250))
def test_no_exemplar_is_evaluated_and_no_row_comes_twice(count: int, shot: int, seed: int, limit: int | None) -> None:
    exemplars, evaluated = choose(count, _settings(limit, shot, seed), salt="task")
    chosen = exemplars + evaluated
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(range(count))
    assert len(evaluated) == min(max(count - shot, 0), count if limit is None else limit)
    assert evaluated == sorted(evaluated)
    assert len(exemplars) == min(shot, count)


@given(counts, shots, seeds)
def test_the_choice_is_the_same_every_time(count: int, shot: int, seed: int) -> None:
    settings = _settings(10, shot, seed)
    assert choose(count, settings, salt="task") == choose(count, settings, salt="task")


def test_seed_and_task_each_change_the_choice() -> None:
    chosen = {
        tuple(choose(1000, _settings(20, 0, seed), salt=salt)[1]) for seed in range(5) for salt in ("piqa", "siqa")
    }
    assert len(chosen) == 10


def test_every_row_has_the_same_chance() -> None:
    hits = [0] * 40
    for seed in range(2000):
        for index in choose(40, _settings(10, 2, seed), salt="task")[1]:
            hits[index] += 1
    # 2000 draws at a quarter each: standard deviation 19.
    assert all(abs(hit - 500) < 90 for hit in hits)
