"""The formula of a multi grader, as the guide to graders describes it."""

from __future__ import annotations

import math

import pytest

from ftbridge.graders.formula import Formula, FormulaError

SCORES = {"name": 0.8, "email": 1.0, "zero": 0.0}

VALUES: dict[str, float] = {
    "(name + email) / 2": 0.9,
    "0.5 * name + 0.5 * email": 0.9,
    "name - email": -0.2,
    "2 * 3 ^ 2": 18.0,
    "2 ^ 3 ^ 2": 512.0,
    "-2 ^ 2": -4.0,
    "2 ^ -1": 0.5,
    "min(name, email, 3)": 0.8,
    "max(name, email)": 1.0,
    "min(name)": 0.8,
    "abs(name - email)": 0.2,
    "floor(1.7)": 1.0,
    "ceil(1.2)": 2.0,
    "exp(1)": math.e,
    "sqrt(16)": 4.0,
    "log(exp(2))": 2.0,
    "5e-1 * email": 0.5,
    " +name\n": 0.8,
}


@pytest.mark.parametrize("formula", VALUES)
def test_operators_and_functions_are_those_of_the_guide(formula: str) -> None:
    assert Formula(formula).value(SCORES) == pytest.approx(VALUES[formula])


def test_the_names_in_a_formula_are_known() -> None:
    assert Formula("min(name, 2) + email ^ 2").names == {"name", "email"}


UNREADABLE = {
    "": "it cannot be read",
    "name +": "it cannot be read",
    "name ** 2": "write a power with '^'",
    "round(name)": "'round' is not one of its functions",
    "__import__('os')": "'__import__' is not one of its functions",
    "name.real": "'name.real' is not arithmetic",
    "name if email else 1": "is not arithmetic",
    "[name][0]": "is not arithmetic",
    "'a' * 9": "is not arithmetic",
    "name % 2": "is not arithmetic",
    "name > 1": "is not arithmetic",
    "(lambda: 1)()": "is not arithmetic",
    "True": "'True' is not arithmetic",
    "1j": "'1j' is not arithmetic",
    "sqrt(1, 2)": "'sqrt' takes exactly one number",
    "max()": "'max' takes at least one number",
    "min(*name)": "is not arithmetic",
    "(" * 500 + "1" + ")" * 500: "it cannot be read",
    "-" * 9_000 + "1": "it cannot be read",
    "1+" * 6_000 + "1": "more than 10,000 characters",
}


@pytest.mark.parametrize("formula", UNREADABLE, ids=lambda formula: formula[:20])
def test_what_is_no_formula_is_refused_with_the_reason(formula: str) -> None:
    with pytest.raises(FormulaError) as problem:
        Formula(formula)
    assert UNREADABLE[formula] in str(problem.value)


WITHOUT_VALUE = [
    "1 / zero",
    "log(zero)",
    "sqrt(name - email)",
    "(0 - 8) ^ 0.5",
    "9 ^ 9 ^ 9",
    "exp(1000)",
    "1e308 * 10",
]


@pytest.mark.parametrize("formula", WITHOUT_VALUE)
def test_a_formula_without_a_value_says_so_at_once(formula: str) -> None:
    with pytest.raises(FormulaError, match="for these scores"):
        Formula(formula).value(SCORES)
