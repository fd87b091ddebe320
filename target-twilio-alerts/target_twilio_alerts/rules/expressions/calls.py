"""The functions of the language, and the check of their arguments."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions.names import suggestion
from target_twilio_alerts.rules.expressions.nodes import AmountIn, Call, Literal, Node, Type
from target_twilio_alerts.rules.expressions.recent import RECENT, check_recent

if TYPE_CHECKING:
    from target_twilio_alerts.rules.expressions.check import Checker

MAX_DAYS = 36500
_CURRENCY = re.compile(r"[A-Z]{3}")
_CONVERTED = ("amount", "currency", "date")


@dataclass(frozen=True)
class Function:
    """What a function takes and gives."""

    takes: tuple[Type, ...]
    gives: Type
    example: str


FUNCTIONS = {
    "days": Function((Type.NUMBER,), Type.DURATION, "days(3)"),
    "abs": Function((Type.NUMBER,), Type.NUMBER, "abs(amount)"),
    "lower": Function((Type.TEXT,), Type.TEXT, "lower(description)"),
    "first_day": Function((Type.TEXT,), Type.DATE, "first_day(period)"),
    "contains": Function((Type.TEXT, Type.TEXT), Type.BOOLEAN, 'contains(description, "urgent")'),
    "starts_with": Function((Type.TEXT, Type.TEXT), Type.BOOLEAN, 'starts_with(account, "15")'),
    "amount_in": Function((Type.TEXT,), Type.NUMBER, 'amount_in("SEK")'),
}
"""By name. `contains` takes a list in the first place too."""


def check_call(checker: Checker, node: ast.expr) -> Node:
    """Check a function's name and arguments.

    Raises:
        ConditionError: There is no such function, or it takes other arguments.
    """
    assert isinstance(node, ast.Call)  # noqa: S101 - dispatched by type
    source = checker.source
    name = node.func.id if isinstance(node.func, ast.Name) else source.of(node.func)
    if name in RECENT:
        return check_recent(checker, node, name)
    function = FUNCTIONS.get(name)
    if function is None:
        if checker.field(name) is not None:
            source.fail(f"{name} is a field, not a function; an operator is missing", node)
        source.fail(
            f"there is no function {name}; {suggestion(name, [*FUNCTIONS, *RECENT], 'there are')}",
            node,
        )
    if node.keywords or len(node.args) != len(function.takes):
        source.fail(f"{name} is written {function.example}", node)
    arguments = tuple(map(checker.value, node.args))
    for argument, given, takes in zip(node.args, arguments, function.takes, strict=True):
        in_list = name == "contains" and argument is node.args[0] and given.type is Type.LIST
        if given.type is not takes and not in_list:
            source.fail(
                f"{checker.described(argument, given)}, where {name} takes {takes.described}",
                argument,
            )
    if name == "days":
        return _days(checker, node.args[0], arguments[0])
    if name == "amount_in":
        return _amount_in(checker, node, arguments[0])
    return Call(function.gives, name, arguments)


def _amount_in(checker: Checker, node: ast.Call, argument: Node) -> Node:
    missing = [name for name in _CONVERTED if checker.field(name) is None]
    if missing:
        checker.source.fail(
            f"{checker.entity.name} has no {' and no '.join(missing)}, so amount_in does not go "
            "with it",
            node,
        )
    currency = argument.value if isinstance(argument, Literal) else None
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        checker.source.fail('amount_in takes one currency, as in amount_in("SEK")', node.args[0])
    return AmountIn(currency)


def _days(checker: Checker, node: ast.expr, argument: Node) -> Node:
    value = argument.value if isinstance(argument, Literal) else None
    if not isinstance(value, Decimal) or value != value.to_integral_value():
        checker.source.fail("days takes a whole number, as in days(3)", node)
    if abs(value) > MAX_DAYS:
        checker.source.fail(f"days takes at most {MAX_DAYS}", node)
    return Literal(Type.DURATION, timedelta(days=int(value)))
