"""Checks comparisons: types on both sides, known values, `in`, `is null`, and the clock."""

from __future__ import annotations

import ast
import keyword
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions.calls import FUNCTIONS
from target_twilio_alerts.rules.expressions.names import suggestion
from target_twilio_alerts.rules.expressions.nodes import (
    Both,
    Compare,
    FieldOf,
    InList,
    IsNull,
    Literal,
    Node,
    OneOf,
    Type,
)
from target_twilio_alerts.rules.expressions.recent import RECENT

if TYPE_CHECKING:
    from target_twilio_alerts.rules.expressions.check import Checker

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ORDERED = {Type.NUMBER, Type.DATE, Type.DURATION}
_NULLS = {"null", "None"}
RESERVED = frozenset(
    {
        *("today", "true", "false", "previous", "record"),
        *_NULLS,
        *FUNCTIONS,
        *RECENT,
        *keyword.kwlist,
    }
)
"""Names with a meaning of their own in conditions: no field may have them."""


def check_comparison(checker: Checker, node: ast.expr) -> Node:
    """Check `a < b`, a chain `a < b < c`, `a in [...]` or `a is null`.

    Raises:
        ConditionError: The sides do not go together.
    """
    assert isinstance(node, ast.Compare)  # noqa: S101 - dispatched by type
    sides = [node.left, *node.comparators]
    if len(sides) > 2 and any(type(op) not in COMPARISONS for op in node.ops):  # noqa: PLR2004
        checker.source.fail("put the comparisons in brackets and join them by and", node)
    terms = tuple(
        _check_one(checker, node.ops[at], sides[at], sides[at + 1]) for at in range(len(node.ops))
    )
    return terms[0] if len(terms) == 1 else Both("and", terms)


def _check_one(checker: Checker, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Node:
    if isinstance(op, (ast.Is, ast.IsNot)):
        return _is_null(checker, left, right, negated=isinstance(op, ast.IsNot))
    if isinstance(op, (ast.In, ast.NotIn)):
        return _in(checker, left, right, negated=isinstance(op, ast.NotIn))
    return _compare(checker, COMPARISONS[type(op)], left, right)


def _is_null(checker: Checker, left: ast.expr, right: ast.expr, *, negated: bool) -> Node:
    if not _is_named_null(right):
        operator = "!=" if negated else "=="
        checker.source.fail(f"after `is` comes null or not null; else write {operator}", right)
    operand = checker.value(left)
    if not isinstance(operand, FieldOf):
        checker.source.fail("only a field can be asked for null, as in due_date is null", left)
    return IsNull(operand, negated)


def _is_named_null(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and node.id in _NULLS


def _in(checker: Checker, left: ast.expr, right: ast.expr, *, negated: bool) -> Node:
    item = checker.value(left)
    if item.uses_clock:
        _refuse_clock(checker, left)
    if isinstance(right, ast.List):
        return OneOf(item, _choices(checker, left, item, right), negated)
    if not isinstance(right, (ast.Name, ast.Attribute)):
        checker.source.fail('write a list in square brackets, as in ["SEK", "EUR"]', right)
    container = checker.value(right)
    if not (isinstance(container, FieldOf) and container.type is Type.LIST):
        checker.source.fail(
            f'{checker.described(right, container)}, where a list is needed, as in ["SEK", "EUR"]',
            right,
        )
    if item.type is not Type.TEXT:
        checker.source.fail(
            f"{checker.described(left, item)}, and {checker.source.of(right)} is a list of texts",
            left,
        )
    return InList(item, container, negated)


def _choices(
    checker: Checker,
    left: ast.expr,
    item: Node,
    right: ast.List,
) -> tuple[Literal, ...]:
    if not right.elts:
        checker.source.fail("the list is empty, so nothing is ever in it; write what is", right)
    choices = []
    for element in right.elts:
        if _is_named_null(element):
            checker.source.fail("a list holds no null; write `or ... is null`", element)
        choice = _side(checker, element, other=item)
        if not isinstance(choice, Literal):
            checker.source.fail("a list holds fixed values only; write or instead", element)
        _check_types(checker, (left, item), (element, choice))
        _check_known(checker, item, element, choice)
        choices.append(choice)
    return tuple(choices)


def _compare(checker: Checker, operator: str, left: ast.expr, right: ast.expr) -> Node:
    for side, other in ((left, right), (right, left)):
        if _is_named_null(side):
            mend = "is not null" if operator == "!=" else "is null"
            checker.source.fail(
                f"nothing compares with null; write {checker.source.of(other)} {mend}",
                side,
            )
        if isinstance(side, ast.List):
            checker.source.fail("a list goes with in, as in x in [1, 2]", side)
    first, second = _sides(checker, left, right)
    _check_types(checker, (left, first), (right, second))
    if operator in {"==", "!="}:
        if first.type is Type.LIST:
            checker.source.fail(
                f'{checker.described(left, first)}; ask for what is in it: "..." in '
                f"{checker.source.of(left)}",
                left,
            )
        if first.uses_clock or second.uses_clock:
            _refuse_clock(checker, left if first.uses_clock else right)
        _check_known(checker, first, right, second)
        _check_known(checker, second, left, first)
    elif first.type not in _ORDERED:
        mend = "; use ==, !=, in or starts_with" if first.type is Type.TEXT else ""
        checker.source.fail(
            f"{checker.described(left, first)}, which has no order for {operator}{mend}",
            left,
        )
    return Compare(operator, first, second)


def _sides(checker: Checker, left: ast.expr, right: ast.expr) -> tuple[Node, Node]:
    if _is_unknown_name(checker, left) and not _is_unknown_name(checker, right):
        second = checker.value(right)
        return _side(checker, left, other=second), second
    first = checker.value(left)
    second = _side(checker, right, other=first)
    return _side(checker, left, other=second) if isinstance(first, Literal) else first, second


def _is_unknown_name(checker: Checker, node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and not (checker.field(node.id) or node.id in RESERVED)


def _side(checker: Checker, node: ast.expr, *, other: Node) -> Node:
    """Check one side; beside a date, a text in the form 2026-01-31 is a date."""
    if isinstance(node, ast.Name) and other.type is Type.TEXT and _is_unknown_name(checker, node):
        checker.unknown(node.id, node, text=True)
    side = checker.value(node)
    if isinstance(side, Literal) and isinstance(side.value, str) and other.type is Type.DATE:
        try:
            return replace(side, type=Type.DATE, value=_iso_date(side.value))
        except ValueError:
            checker.source.fail(
                f'{checker.source.of(node)} is no date; write it as in "2026-01-31"',
                node,
            )
    return side


def _iso_date(text: str) -> date:
    if len(text) != len("2026-01-31"):
        raise ValueError(text)
    return date.fromisoformat(text)


def _check_types(
    checker: Checker,
    first: tuple[ast.expr, Node],
    second: tuple[ast.expr, Node],
) -> None:
    (left, a), (right, b) = first, second
    if a.type is b.type:
        return
    checker.source.fail(
        f"{checker.described(left, a)} and {checker.described(right, b)}, which do not compare"
        f"{_mend(a, b) or _mend(b, a)}",
        right if isinstance(b, Literal) or not isinstance(a, Literal) else left,
    )


_MENDS = {
    (Type.TEXT, Type.NUMBER): "; put it in quotes",
    (Type.DATE, Type.NUMBER): '; write a date as in "2026-01-31"',
    (Type.DURATION, Type.NUMBER): "; write a number of days as in days(3)",
}


def _mend(value: Node, literal: Node) -> str:
    if not isinstance(literal, Literal):
        return ""
    text = literal.value.lower() if isinstance(literal.value, str) else ""
    if (value.type is Type.NUMBER and text.replace(".", "", 1).isdecimal()) or (
        value.type is Type.BOOLEAN and text in {"true", "false"}
    ):
        return f"; write it without quotes: {text}"
    return _MENDS.get((value.type, literal.type), "")


def _check_known(checker: Checker, field: Node, node: ast.expr, literal: Node) -> None:
    if not isinstance(field, FieldOf) or not isinstance(literal, Literal):
        return
    declared = checker.field(field.name)
    known = declared.values if declared else None
    if known and isinstance(literal.value, str) and literal.value not in known:
        checker.source.fail(
            f'{field.name} is never "{literal.value}"; '
            f"{suggestion(literal.value, known, 'it is one of')}",
            node,
        )


def _refuse_clock(checker: Checker, node: ast.expr) -> None:
    checker.source.fail(
        "equality with the clock is missed on a day without a run; write <= or >=, which "
        "becomes true on that day and stays true",
        node,
    )
