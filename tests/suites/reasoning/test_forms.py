"""Right answers count however they are written, and near misses don't."""

import math
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from suites.reasoning.expressions import Formula
from suites.reasoning.forms import Calculation, Expression, Names, Number, Numbers, Text

NUMBER, PAIR = Number(), Numbers("x and y")
DERIVATIVE = Expression("the derivative", ("x",))
SUM = {"numbers": [3, 5, 8], "target": 23}

FIVE = [
    *(
        "5",
        "5.0",
        "+5",
        "05",
        "(5)",
        "5.00",
        "$5$",
        r"\(5\)",
        "x = 5",
        "x=5",
        "10/2",
        r"\frac{10}{2}",
        "\N{FULLWIDTH DIGIT FIVE}",
        "{5}",
    ),
    *(
        "5 apples",
        "5 square units.",
        "5°",
        r"5^\circ",
        "2 + 3 = 5",
        " 5 ",
        r"\dfrac{15}{3}",
        "(10)/(2)",
        "The letter occurs 5 times in it.",
        "It is 5, I think.",
        "5 = x",
    ),
]


@pytest.mark.parametrize("written", FIVE)
def test_a_number_counts_however_it_is_written(written):
    assert NUMBER.read(written) == NUMBER.read("5") == "5"


@pytest.mark.parametrize("written", ["0.5", "50", "-5", "−5", "5.01", "1/5", "15", "5,000"])
def test_another_number_is_wrong(written):
    assert NUMBER.read(written) not in (None, "5")


@pytest.mark.parametrize("written", ["", "five", "2 + 3", "5 or 6", "5 1/2", "5/0", "1e3", "3-5", "2^5", "()"])
def test_what_is_no_number_is_no_answer(written):
    assert NUMBER.read(written) is None


@settings(max_examples=40)
@given(st.integers(-(10**6), 10**6), st.integers(1, 999))
def test_every_fraction_is_read_as_it_was_written(above, below):
    value = Fraction(above, below)
    for written in (f"{above}/{below}", str(value), rf"\frac{{{above}}}{{{below}}}", f"${above} / {below}$"):
        assert NUMBER.read(written) == str(value)
    assert NUMBER.read(f"{above:,}") == NUMBER.read(f"{above}.0") == str(above)
    assert NUMBER.read(str(value + Fraction(1, 10**6))) != str(value)


@pytest.mark.parametrize(
    "written", ["3, -2", "(3, -2)", "x = 3, y = -2", "3 and -2", "3; −2", "3 -2", "[3,-2]", "$3$, $-2$"]
)
def test_a_pair_counts_in_its_order(written):
    assert PAIR.is_right(PAIR.read(written), "3, -2", {})


@pytest.mark.parametrize("written", ["-2, 3", "3, 2", "3", "3, -2, 0"])
def test_a_pair_in_another_order_is_wrong(written):
    assert not PAIR.is_right(PAIR.read(written), "3, -2", {})
    assert PAIR.read("3, y") is None


def test_where_order_is_free_any_counts_but_none_may_be_missing_or_doubled():
    roots = Numbers("the roots", ordered=False)
    assert roots.is_right(roots.read("3, -2"), "-2, 3", {})
    assert not roots.is_right(roots.read("3, 3, -2"), "-2, 3", {})
    assert not roots.is_right(roots.read("3"), "-2, 3", {})
    names = Names("the knights")
    for written in ("Ada, Ben", "ben and ada", "Ada & Ben.", "[Ben, Ada]", "**Ada**, **Ben**", "Ada, and Ben"):
        assert names.is_right(names.read(written), "Ben, Ada", {})
    for written in ("Ada", "Ada, Ben, Eve", "none"):
        assert not names.is_right(names.read(written), "Ben, Ada", {})
    assert names.read("Ada is a knight") is None


@pytest.mark.parametrize("written", ["1011", "0b1011", "1011_2", r"$1011_{2}$", "1011 (base 2)", "11 = 1011", "`1011`"])
def test_digits_count_with_and_without_their_base(written):
    assert Text("the digits", ("0b",)).read(written) == "1011"


@pytest.mark.parametrize(
    "written",
    ["9x^2 - 4x", "9x² − 4x", "-4x+9x**2", "9*x*x - 4*x", "x(9x - 4)", "f'(x) = 9x^{2}-4x", r"$9x^2-4 \cdot x$"],
)
def test_a_formula_counts_however_it_is_written(written):
    assert DERIVATIVE.is_right(DERIVATIVE.read(written), "9x^2 - 4x", {})


@pytest.mark.parametrize("written", ["9x^2 + 4x", "9x^2 - 4", "9x - 4x^2", "3x^3 - 2x^2", "9x^2 - 4x + 1"])
def test_another_formula_is_wrong(written):
    assert not DERIVATIVE.is_right(DERIVATIVE.read(written), "9x^2 - 4x", {})


def test_one_minus_one_over_e_is_not_one_plus_it():
    """What a published verifier calls equal."""
    form = Expression("the value", ("e",))
    assert form.is_right(form.read("1 + 1/e"), "(e + 1)/e", {})
    assert not form.is_right(form.read("1 - 1/e"), "1 + 1/e", {})


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("3*5+8", True),
        ("8 + 5\N{MULTIPLICATION SIGN}3 = 23", True),
        ("23 = 8 + (5 * 3)", True),
        ("5*5-2", False),
        ("3*5+8+0", False),
        ("23", False),
        ("8+3+5", False),
        ("3^1*5+8", False),
        (r"3 \times 5 + 8", True),
    ],
)
def test_any_calculation_of_the_given_numbers_counts(written, right):
    form = Calculation("the calculation")
    assert form.is_right(form.read(written), "(3 * 5) + 8", SUM) == right


polynomials = st.lists(st.integers(-20, 20), min_size=1, max_size=6)


@settings(max_examples=40)
@given(polynomials, polynomials)
def test_formulas_are_equal_where_sympy_says_so(one, other):
    x = sympy.Symbol("x")
    texts = [" + ".join(f"{factor}x^{power}" for power, factor in enumerate(factors)) for factors in (one, other)]
    equal = sympy.expand(sympy.Poly(one[::-1], x).as_expr() - sympy.Poly(other[::-1], x).as_expr()) == 0
    read = [DERIVATIVE.read(text) for text in texts]
    assert DERIVATIVE.is_right(read[0], read[1], {}) == equal
    factored = str(sympy.factor(sympy.Poly(one[::-1], x).as_expr()))
    assert DERIVATIVE.is_right(DERIVATIVE.read(factored), read[0], {})


@settings(max_examples=40)
@given(
    st.recursive(
        st.integers(0, 99).map(str),
        lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({''.join(parts)})"),
        max_leaves=8,
    )
)
def test_calculations_are_worth_what_python_says(text):
    try:
        expected = eval(text)  # its own text, of digits and the four operations
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            Formula(text)
        return
    assert math.isclose(float(Formula(text).values[0]), expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize(
    "written",
    [
        "(" * 5000,
        "-" * 300,
        "9^9^9^9",
        "9^" * 40 + "9",
        "1/0",
        "__import__('os')",
        "x" * 9999,
        "9" * 5000,
        "0^(0-1)",
        "2^(1/2)",
        ")",
        "1..2",
    ],
)
def test_a_hostile_formula_is_no_answer(written):
    assert DERIVATIVE.read(written) is None


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_is_read_or_not(text):
    for form in (NUMBER, PAIR, DERIVATIVE, Names("names"), Text("a word"), Calculation("a calculation")):
        assert isinstance(form.read(text), str | None)


@pytest.mark.parametrize(
    ("form", "text", "answer"),
    [
        (Text(wanted="a day"), r"\text{Monday}", "monday"),
        (Text(wanted="a number"), r"\mathrm{1F}", "1f"),
        (Names(wanted="names"), r"\text{Ada, Ben}", "ada, ben"),
        (Names(wanted="names"), r"\text{none}", "none"),
        (Number(), "minus 5", "-5"),
        (Number(), "The result is \u2013 5", "-5"),
        (Number(), "x equals \u20133", "-3"),
        (Number(), "9" * 5000, None),
        (Names(wanted="names"), " " * 20_000 + "Ada" + " " * 20_000 + "Ben", None),
    ],
)
def test_what_latex_and_typography_put_around_an_answer_is_none_of_it(form, text, answer):
    assert form.read(text) == answer
