"""Puzzles of every family: their answers are right by another way of finding them, and the same for the same seed."""

import re
from datetime import date, timedelta
from itertools import combinations, product

import numpy as np
import pytest
import sympy
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import shortest_path

from harness.core import registry
from harness.core.tasks import TaskSettings
from harness.testing import check_task
from tests.suites.scripts import scores_of, value_of, writer

AREAS = ("arithmetic", "algebra", "logic", "algorithms", "geometry", "games")
FAMILIES = {family.name: family for area in AREAS for family in registry.task(f"reasoning_{area}").families}


def samples(area, *, limit=96, num_fewshot=0, seed=3):
    return registry.task(f"reasoning_{area}").samples((), TaskSettings(limit=limit, num_fewshot=num_fewshot, seed=seed))


def puzzles(name):
    """Questions of a family, of all difficulties, with their answers."""
    area = next(area for area in AREAS if FAMILIES[name] in registry.task(f"reasoning_{area}").families)
    for sample in samples(area):
        if sample.fields["family"] == name:
            yield sample.prompt.removeprefix("Question: ").rsplit("\nEnd with", 1)[0], sample.gold


def symbolic(text):
    return sympy.sympify(re.sub(r"(?<=[\dx)])(?=[xy(])", "*", text).replace("^", "**"), rational=True)


def test_there_are_three_families_in_each_of_six_areas():
    assert len(FAMILIES) == 18


@pytest.mark.parametrize("name", ["chain_sum", "fraction_sum"])
def test_sums_are_sympys(name):
    for question, gold in puzzles(name):
        assert symbolic(re.match(r"What is ([^?,]*)", question)[1]) == sympy.Rational(gold)


def test_days_of_the_week_are_the_calendars():
    for question, gold in puzzles("weekday"):
        today = next(day for day in map(date.fromordinal, range(730001, 730008)) if f"{day:%A}" in question)
        days = int(re.search(r"(\d+) days", question)[1])
        assert f"{today + timedelta(days=-days if 'ago' in question else days):%A}" == gold


def test_equations_are_solved_as_sympy_does():
    for question, gold in puzzles("linear_equation"):
        left, right = question.removeprefix("Solve for x: ").split("=")
        assert sympy.solve(symbolic(left) - symbolic(right)) == [int(gold)]
    for question, gold in puzzles("linear_system"):
        pair = re.match(r"What are x and y if (.*) = (.*) and (.*) = (.*)\?", question).groups()
        found = sympy.solve([symbolic(pair[0]) - symbolic(pair[1]), symbolic(pair[2]) - symbolic(pair[3])])
        assert [found[sympy.Symbol(one)] for one in "xy"] == [int(one) for one in gold.split(", ")]


def test_derivatives_are_sympys():
    for question, gold in puzzles("derivative"):
        given = question.removeprefix("What is the derivative of ").removesuffix(" with respect to x?")
        assert sympy.expand(sympy.diff(symbolic(given)) - symbolic(gold)) == 0


def test_exactly_one_set_of_knights_fits_what_is_said():
    for question, gold in puzzles("knights_and_knaves"):
        people = re.match(r"Each of (.*) is either", question)[1].replace(" and ", ", ").split(", ")
        said = re.findall(r'(\w+) says: "(.*?)"', question)
        sets = [set(some) for size in range(len(people) + 1) for some in combinations(people, size)]
        fitting = [some for some in sets if all(told_truly(text, name, some) == (name in some) for name, text in said)]
        assert fitting == [set(gold.split(", ")) - {"none"}]


def told_truly(text, speaker, knights):
    named = [
        name if name != "I" and name != "me" else speaker
        for name in re.findall(r"\b[A-Z]\w*|\bme\b", text)
        if name != "At"
    ]
    kinds = [name in knights for name in named]
    if "same kind" in text:
        return kinds[0] == kinds[1]
    if "At least one" in text:
        return not all(kinds)
    return any(kinds) if "knight" in text else not kinds[0]


def listed(name, question):
    """Every answer that a question leaves open, where it can be listed."""
    match name:
        case "knights_and_knaves":
            people = re.match(r"Each of (.*) is either", question)[1].replace(" and ", ", ").split(", ")
            return list(product((True, False), repeat=len(people)))
        case "circuit":
            asked = re.search(r"Which of (.*) are true\?", question)[1].replace(" and ", ", ").split(", ")
            return list(product((True, False), repeat=len(asked)))
        case "ordering":
            return sorted({one for pair in re.findall(r"(\w+) is \w+ than (\w+)", question) for one in pair})
        case "weekday":
            return list(range(7))
        case "mini_sudoku":
            return list(range(1, 5))
    return []


@pytest.mark.parametrize("area", AREAS)
def test_chance_is_that_of_a_blind_pick(area):
    task = registry.task(f"reasoning_{area}")
    asked = samples(area, limit=24)
    open_answers = [listed(one.fields["family"], one.prompt.removeprefix("Question: ")) for one in asked]
    assert [task.chance(one) for one in asked] == [1 / len(found) if found else 0 for found in open_answers]
    assert any(open_answers) == any(metric.name == "chance" for metric in task.metrics)
    if any(open_answers):
        value = value_of(task, "chance", scores_of(task, writer(lambda _: "nothing"), [], limit=24))
        assert value == pytest.approx(np.mean([task.chance(one) for one in asked]))


def test_orders_are_those_of_the_comparisons():
    for question, gold in puzzles("ordering"):
        facts = re.findall(r"(\w+) is (taller|shorter) than (\w+)", question)
        above = {(one, other) if how == "taller" else (other, one) for one, how, other in facts}
        people = sorted({name for pair in above for name in pair})
        reach = shortest_path(csr_matrix([[(one, other) in above for other in people] for one in people]))
        taller = np.isfinite(reach).sum(axis=0) - 1
        place = int(re.search(r"Who is the (\d+)", question)[1])
        assert [name for name, count in zip(people, taller, strict=True) if count == place - 1] == [gold]


def test_circuits_are_worth_what_python_says():
    for question, gold in puzzles("circuit"):
        worth = {name: value == "true" for name, value in re.findall(r"([AB]) is (true|false)\.", question)}
        for name, formula in re.findall(r"([C-G]) = ([^.]*)\.", question):
            worth[name] = bool(eval(re.sub(r" xor (not )?(\w)", r" != (\1\2)", formula), {}, dict(worth)))
        assert [name for name in sorted(worth) if worth[name] and name > "B"] == [
            one for one in gold.split(", ") if one != "none"
        ]


def test_what_algorithms_give_is_undone_by_their_inverses():
    for question, gold in puzzles("number_sorting"):
        numbers = [int(one) for one in question.split(": ")[1].split(", ")]
        assert [int(one) for one in gold.split(", ")] == [numbers[at] for at in np.argsort(numbers)][
            :: -1 if "largest to" in question else 1
        ]
    for question, gold in puzzles("letter_counting"):
        letter, words = re.findall(r'"(.*?)"', question)
        assert sum(one == letter for one in words) == int(gold)
    for question, gold in puzzles("base_conversion"):
        base = next(base for name, base in (("binary", 2), ("octal", 8), ("hexadecimal", 16)) if name in question)
        assert int(gold, base) == int(re.search(r"\d+", question)[0])


def test_angles_and_areas_are_those_of_sympys_shapes():
    for question, gold in puzzles("angles"):
        given = [int(one) for one in re.findall(r"(\d+) degrees", question)]
        assert sum(given) + int(gold) == 180 * (len(given) - 1)
    for question, gold in puzzles("polygon_area"):
        corners = [(int(x), int(y)) for x, y in re.findall(r"\((-?\d+), (-?\d+)\)", question)]
        shape = sympy.Polygon(*corners)
        assert len(shape.vertices) >= 3
        assert abs(shape.area) == sympy.Rational(gold)


def test_parts_of_circles_are_integrals():
    for question, gold in puzzles("circle"):
        radii = [int(one) for one in re.findall(r"(?:radius|radii|and) (\d+)", question)]
        angle = int((re.search(r"(\d+) degrees", question) or [0, 360])[1])
        r, inner = sympy.Symbol("r"), radii[0] if len(radii) == 2 else 0
        assert sympy.integrate(r * sympy.pi * angle / 180, (r, inner, radii[-1])) == sympy.pi * sympy.Rational(gold)


def test_mazes_are_as_long_as_scipy_finds():
    for question, gold in puzzles("maze"):
        rows = [line.split() for line in question.splitlines()[1:]]
        open_fields = [(x, y) for x, row in enumerate(rows) for y, sign in enumerate(row) if sign != "#"]
        near = [[abs(a - c) + abs(b - d) == 1 for c, d in open_fields] for a, b in open_fields]
        found = shortest_path(csr_matrix(near), unweighted=True)
        assert found[open_fields.index((0, 0)), open_fields.index((len(rows) - 1, len(rows) - 1))] == int(gold)


def test_the_asked_field_of_a_sudoku_can_only_be_one_number():
    units = [[(x, y) for y in range(4)] for x in range(4)] + [[(x, y) for x in range(4)] for y in range(4)]
    units += [[(a + c, b + d) for c in (0, 1) for d in (0, 1)] for a in (0, 2) for b in (0, 2)]
    for question, gold in [one for one in puzzles("mini_sudoku") if one[0].count("_") < 6]:
        rows = [line.split() for line in question.splitlines()[1:]]
        free = [(x, y) for x in range(4) for y in range(4) if not rows[x][y].isdigit()]
        fitting = set()
        for numbers in product("1234", repeat=len(free)):
            field = {(x, y): rows[x][y] for x in range(4) for y in range(4)} | dict(zip(free, numbers, strict=True))
            if all(len({field[place] for place in unit}) == 4 for unit in units):
                fitting.add(next(field[x, y] for x, y in free if rows[x][y] == "?"))
        assert fitting == {gold}


@pytest.mark.parametrize("area", AREAS)
def test_right_answers_count_in_the_wordings_of_models(area):
    wordings = (
        "Answer: {}",
        "Let me think: 1 + 1 = 2.\n\nAnswer: {}.",
        "**Answer:** {}",
        "Answer: **{}**",
        "Answer:\n{}",
        "The final answer is: {}",
        "答案：{}",
        "Antwort: {}",
        "Réponse : {}",
        r"So it is \boxed{{{}}}",
        r"Answer: $\boxed{{{}}}$",
        "Answer: 77\nNo, I was wrong.\nAnswer: {}",
        "{}",
    )
    task = registry.task(f"reasoning_{area}")
    for number, sample in enumerate(samples(area, limit=39)):
        text = wordings[number % len(wordings)].format(sample.gold)
        found = task.extract(sample, text)
        assert found, (text, sample.prompt)
        assert task.is_right(sample, found.answer), (text, found)
        lost = task.extract(sample, "I can't say.\nThat is hard.")
        assert lost is None


@pytest.mark.parametrize("area", AREAS)
def test_it_keeps_the_contract_of_tasks(area):
    check_task(registry.task(f"reasoning_{area}"))


def test_a_seed_decides_the_questions_and_another_asks_others():
    for area in AREAS:
        assert samples(area, seed=5) == samples(area, seed=5)
        here, there = ({one.prompt for one in samples(area, seed=seed, limit=12)} for seed in (5, 6))
        assert len(here & there) <= 2
        shown = samples(area, num_fewshot=6, seed=5)
        assert {one.id for one in shown} == {one.id for one in samples(area, seed=5)}


def test_accuracy_is_told_by_family_and_difficulty():
    task = registry.task("reasoning_games")
    right = {
        sample.prompt: sample.gold
        for sample in task.samples((), TaskSettings(limit=24, num_fewshot=0, seed=0))
        if sample.fields["difficulty"] < "3"
    }
    found = scores_of(task, writer(lambda asked: f"Answer: {right.get(asked.context, 0)}"), limit=24)
    assert value_of(task, "accuracy_all", found) == 0.5
    assert value_of(task, "accuracy_all", found, difficulty="1") == 1
    assert value_of(task, "accuracy_all", found, difficulty="4") == 0
    assert value_of(task, "accuracy_all", found, family="maze") == 0.5
