"""Turns a typed tree into closures. What is null makes a comparison unknown: None."""

from __future__ import annotations

import operator
import re
from datetime import date, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_twilio_alerts.rules.expressions.nodes import (
    AmountIn,
    Arithmetic,
    Both,
    Call,
    Compare,
    FieldOf,
    InList,
    IsNull,
    Literal,
    Negative,
    Node,
    Not,
    OneOf,
    Recent,
    Today,
    Type,
)
from target_twilio_alerts.rules.expressions.recent import recent_value
from target_twilio_alerts.rules.rates import Converted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.rules.surroundings import Surroundings

Values: TypeAlias = "Mapping[str, Value]"
Evaluate: TypeAlias = "Callable[[Values, Values | None, Surroundings], Any]"
"""From the document's values, its previous version's and what is around, to a value or None."""

_EXACT = Context(prec=120, traps=[])
"""A number has at most 30 digits on either side of its point, so every sum is exact."""


def compile_node(node: Node) -> Evaluate:
    """Return a function that evaluates the node."""
    return _COMPILERS[type(node)](node)


def _literal(node: Literal) -> Evaluate:
    value = node.value
    return lambda _current, _previous, _around: value


def _field(node: FieldOf) -> Evaluate:
    name = node.name
    if node.previous:
        return lambda _current, previous, _around: None if previous is None else previous.get(name)
    return lambda current, _previous, _around: current.get(name)


def _today(_node: Today) -> Evaluate:
    return lambda _current, _previous, around: around.today


def _amount_in(node: AmountIn) -> Evaluate:
    def evaluate(current: Values, _previous: Values | None, around: Surroundings) -> Any:
        converted = convert(node, current, around)
        return None if converted is None else converted.amount

    return evaluate


def _recent(node: Recent) -> Evaluate:
    return lambda current, _previous, around: recent_value(node, current, around)


def convert(node: AmountIn, current: Values, around: Surroundings) -> Converted | None:
    """The document's amount in the node's currency; None if a part of it, or a rate, is missing."""
    amount, currency, day = (current.get(name) for name in ("amount", "currency", "date"))
    if not (isinstance(amount, Decimal) and isinstance(currency, str)):
        return None
    if currency == node.currency:
        return Converted(amount, None)
    if around.rates is None or not isinstance(day, date):
        return None
    company = current.get("company")
    return around.rates.convert(
        amount,
        currency,
        node.currency,
        day,
        company=company if isinstance(company, str) else None,
    )


@lru_cache(1 << 10)
def first_day(period: str) -> date | None:
    """The first day of a period that is a month, as in 202611 or 112026; None of any other text."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        return None
    year, month = match["year"] or match["year_behind"], match["month"] or match["month_before"]
    return date(int(year), int(month), 1)


_PERIOD = re.compile(
    r"(?P<year>(?:19|2[01])[0-9]{2})-?(?P<month>0[1-9]|1[0-2])"
    r"|(?P<month_before>0[1-9]|1[0-2])-?(?P<year_behind>(?:19|2[01])[0-9]{2})"
)
"""Visma.net has both orders, by endpoint."""

_UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": Decimal.copy_abs,
    "lower": str.lower,
    "first_day": first_day,
}


def _call(node: Call) -> Evaluate:
    if len(node.arguments) == 1:
        one, unary = compile_node(node.arguments[0]), _UNARY[node.function]

        def call(current: Values, previous: Values | None, around: Surroundings) -> Any:
            value = one(current, previous, around)
            return None if value is None else unary(value)

        return call
    binary = operator.contains if node.function == "contains" else str.startswith
    return _of_two(binary, *map(compile_node, node.arguments))


def _of_two(binary: Callable[[Any, Any], Any], first: Evaluate, second: Evaluate) -> Evaluate:
    def evaluate(current: Values, previous: Values | None, around: Surroundings) -> Any:
        left = first(current, previous, around)
        if left is None:
            return None
        right = second(current, previous, around)
        return None if right is None else binary(left, right)

    return evaluate


def _arithmetic(node: Arithmetic) -> Evaluate:
    plus = node.operator == "+"
    if node.type is Type.NUMBER:
        binary: Callable[[Any, Any], Any] = _EXACT.add if plus else _EXACT.subtract
    elif node.type is Type.DATE:
        binary = _later if plus else _earlier
    else:
        binary = operator.add if plus else operator.sub
    return _of_two(binary, compile_node(node.left), compile_node(node.right))


def _later(one: date | timedelta, other: date | timedelta) -> date:
    day, duration = (one, other) if isinstance(one, date) else (other, one)
    return _moved(day, duration)


def _earlier(day: date, duration: timedelta) -> date:
    return _moved(day, -duration)


def _moved(day: Any, duration: Any) -> date:
    """The day so much later; beyond the calendar, its last or first day, which compares alike."""
    try:
        moved: date = day + duration
    except OverflowError:
        return date.max if duration > timedelta() else date.min
    return moved


def _negative(node: Negative) -> Evaluate:
    operand = compile_node(node.operand)
    negate: Callable[[Any], Any] = Decimal.copy_negate if node.type is Type.NUMBER else operator.neg

    def negative(current: Values, previous: Values | None, around: Surroundings) -> Any:
        value = operand(current, previous, around)
        return None if value is None else negate(value)

    return negative


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compare(node: Compare) -> Evaluate:
    compare = _OPERATORS[node.operator]
    if isinstance(node.right, Literal):
        return _with_fixed(node.left, compare, node.right.value)
    return _of_two(compare, compile_node(node.left), compile_node(node.right))


def _with_fixed(left: Node, compare: Callable[[Any, Any], bool], fixed: Any) -> Evaluate:
    if isinstance(left, FieldOf) and not left.previous:  # nearly every comparison is this one
        name = left.name

        def compare_field(current: Values, _previous: Values | None, _around: Surroundings) -> Any:
            value = current.get(name)
            return None if value is None else compare(value, fixed)

        return compare_field
    evaluate = compile_node(left)

    def compare_fixed(current: Values, previous: Values | None, around: Surroundings) -> Any:
        value = evaluate(current, previous, around)
        return None if value is None else compare(value, fixed)

    return compare_fixed


def _one_of(node: OneOf) -> Evaluate:
    choices = frozenset(choice.value for choice in node.choices)
    return _with_fixed(node.item, _not_among if node.negated else _among, choices)


def _in_list(node: InList) -> Evaluate:
    item, container = compile_node(node.item), compile_node(node.container)
    if node.negated:
        return _of_two(lambda value, items: value not in items, item, container)
    return _of_two(lambda value, items: value in items, item, container)


def _is_null(node: IsNull) -> Evaluate:
    operand, negated = compile_node(node.operand), node.negated
    return lambda current, previous, around: (operand(current, previous, around) is None) ^ negated


def _both(node: Both) -> Evaluate:
    terms = list(node.terms)
    if node.operator == "and":
        # What is compared with a fixed value is quick to ask, so it is asked first, all in one.
        simple = [found for term in terms if (found := _simple(term)) is not None]
        others = [compile_node(term) for term in terms if _simple(term) is None]
        if not others:
            return _all_of(tuple(simple))
        return _joined((_all_of(tuple(simple)), *others) if simple else others, decisive=False)
    return _joined(map(compile_node, terms), decisive=True)


def _joined(each: Iterable[Evaluate], *, decisive: bool) -> Evaluate:
    """Join terms by `or`, which one that holds decides, or by `and`, which one that fails does."""
    terms = tuple(each)

    def evaluate(current: Values, previous: Values | None, around: Surroundings) -> Any:
        answer: bool | None = not decisive
        for term in terms:
            one = term(current, previous, around)
            if one is decisive:
                return decisive
            if one is None:
                answer = None
        return answer

    return evaluate


_Simple: TypeAlias = "tuple[str, Callable[[Any, Any], bool], Any]"
"""A comparison of a field with a fixed value: the field's name, the test, the value."""


def _simple(term: Node) -> _Simple | None:
    if isinstance(term, Compare) and isinstance(term.right, Literal):
        if isinstance(term.left, FieldOf) and not term.left.previous:
            return term.left.name, _OPERATORS[term.operator], term.right.value
    elif isinstance(term, OneOf) and isinstance(term.item, FieldOf) and not term.item.previous:
        choices = frozenset(choice.value for choice in term.choices)
        return term.item.name, _not_among if term.negated else _among, choices
    return None


def _among(value: Any, choices: frozenset[Any]) -> bool:
    return value in choices


def _not_among(value: Any, choices: frozenset[Any]) -> bool:
    return value not in choices


def _all_of(terms: tuple[_Simple, ...]) -> Evaluate:
    """Most conditions are this one; a call for each term would take most of the time."""

    def evaluate(current: Values, _previous: Values | None, _around: Surroundings) -> Any:
        answer: bool | None = True
        get = current.get
        for name, compare, fixed in terms:
            value = get(name)
            if value is None:
                answer = None
            elif not compare(value, fixed):
                return False
        return answer

    return evaluate


def _not(node: Not) -> Evaluate:
    operand = compile_node(node.operand)

    def negate(current: Values, previous: Values | None, around: Surroundings) -> Any:
        answer = operand(current, previous, around)
        return None if answer is None else not answer

    return negate


_COMPILERS: Final[dict[type, Callable[[Any], Evaluate]]] = {
    Literal: _literal,
    FieldOf: _field,
    Today: _today,
    AmountIn: _amount_in,
    Recent: _recent,
    Call: _call,
    Arithmetic: _arithmetic,
    Negative: _negative,
    Compare: _compare,
    OneOf: _one_of,
    InList: _in_list,
    IsNull: _is_null,
    Both: _both,
    Not: _not,
}
