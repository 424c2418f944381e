"""The formula of a multi grader: arithmetic over the scores of its parts.

Source: the guide to graders, "Multigraders" (developers.openai.com/api/docs/guides/graders, read 2026-11): the
operators + - * / and ^ (power), and eight functions.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
_OPERATORS: Mapping[type[ast.operator | ast.unaryop], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_ANY_NUMBER_OF = ("min", "max")
_LONGEST = 10_000  # characters


class FormulaError(ValueError):
    """The formula cannot be read, or has no value for these scores; the text says why."""


class Formula:
    """A formula that has been read; `names` are the parts it refers to. Raises `FormulaError`."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise FormulaError(f"it has more than {_LONGEST:,} characters")
        if "**" in text:
            raise FormulaError("'**' is not one of its operators: write a power with '^'")
        try:
            self._tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
            self.names = frozenset(_names(self._tree))
        except SyntaxError as problem:
            raise FormulaError(f"it cannot be read: {problem.msg}") from None
        except (RecursionError, MemoryError, ValueError) as problem:
            if isinstance(problem, FormulaError):
                raise
            raise FormulaError("it cannot be read: it is nested too deeply, or is no text") from None

    def value(self, scores: Mapping[str, float]) -> float:
        """The formula's value. Raises `FormulaError` where there is none, as for a division by zero."""
        try:
            value = _value(self._tree, scores)
        except (ArithmeticError, RecursionError, ValueError) as problem:
            raise FormulaError(f"it has no value for these scores: {problem}") from None
        if not math.isfinite(value):
            raise FormulaError("its value for these scores is not a finite number")
        return value


def _names(node: ast.expr) -> Iterator[str]:
    """The names below `node`. Raises `FormulaError` for anything that is not part of a formula."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id=name):
            yield name
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            yield from _names(left)
            yield from _names(right)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            yield from _names(operand)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise FormulaError(f"'{name}' is not one of its functions: {', '.join(FUNCTIONS)}")
            if not arguments or (len(arguments) > 1 and name not in _ANY_NUMBER_OF):
                raise FormulaError(f"'{name}' takes {'at least' if name in _ANY_NUMBER_OF else 'exactly'} one number")
            for argument in arguments:
                yield from _names(argument)
        case _:
            raise FormulaError(f"'{ast.unparse(node)}' is not arithmetic")


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)  # whole numbers of Python grow without end: 9 ^ 9 ^ 9
        case ast.Name(id=name):
            return scores[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, scores), _value(right, scores))
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_value(operand, scores))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            values = [_value(argument, scores) for argument in arguments]
            return float(FUNCTIONS[name](values if name in _ANY_NUMBER_OF else values[0]))
    raise AssertionError(node)  # the names have been read
