"""Functions over recent documents of the same group: their check, and their values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.rules.expressions.nodes import FieldOf, Literal, Node, Recent, Type

if TYPE_CHECKING:
    import ast
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.rules.expressions.check import Checker
    from target_twilio_alerts.rules.surroundings import Surroundings

RECENT = {
    "recent_count": "recent_count(days(30)) or recent_count(days(90), amount, currency)",
    "recent_sum": "recent_sum(amount, days(7))",
    "recent_max": "recent_max(amount, days(365))",
}
"""How each is written."""

MAX_RECENT_DAYS = 400
_EXACT = Context(prec=120, traps=[])


def check_recent(checker: Checker, node: ast.Call, name: str) -> Node:
    """Check a function over recent documents.

    Raises:
        ConditionError: It is written in another way, or the entity has no groups.
    """
    source, entity = checker.source, checker.entity
    if not entity.has_groups:
        source.fail(
            f"{entity.name} has no {entity.grouped_by[-1]} or no date, so {name} does not go "
            "with it",
            node,
        )
    arguments = list(map(checker.value, node.args))
    takes_field = name != "recent_count"
    least = 2 if takes_field else 1
    if node.keywords or len(arguments) < least or (takes_field and len(arguments) > least):
        source.fail(f"{name} is written {RECENT[name]}", node)
    field = None
    if takes_field:
        first = arguments.pop(0)
        if not isinstance(first, FieldOf) or first.previous or first.type is not Type.NUMBER:
            source.fail(
                f"{name} takes a field that is a number, as in {RECENT[name]}", node.args[0]
            )
        field = first.name
    span = arguments.pop(0)
    days = span.value.days if _is_span(span) else 0  # type: ignore[attr-defined]
    if not 1 <= days <= MAX_RECENT_DAYS:
        source.fail(
            f"{name} looks at 1 to {MAX_RECENT_DAYS} days, as in {RECENT[name]}",
            node.args[least - 1],
        )
    for given, checked in zip(node.args[least:], arguments, strict=True):
        if not isinstance(checked, FieldOf) or checked.previous:
            source.fail("only a field can be the same, as in recent_count(days(90), amount)", given)
    same = tuple(one.name for one in arguments if isinstance(one, FieldOf))
    group = tuple(each for each in entity.grouped_by if each in entity.fields)
    return Recent(name, days, field, same, group, entity.void_statuses)


def _is_span(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, timedelta)


def recent_value(node: Recent, values: Mapping[str, Value], around: Surroundings) -> Decimal | None:
    """The function's value; None if something that it needs is not known."""
    if missing(node, values) or around.others is None:
        return None
    found = recent_documents(node, values, around)
    if node.function == "recent_count":
        return Decimal(len(found) + 1)
    amounts = [one[str(node.field)] for one in found]
    numbers = [amount for amount in amounts if isinstance(amount, Decimal)]
    if node.function == "recent_max":
        return max(numbers, default=None)
    total = values[str(node.field)]
    for number in numbers:
        total = _EXACT.add(total, number)  # type: ignore[arg-type]
    return total  # type: ignore[return-value]


def missing(node: Recent, values: Mapping[str, Value]) -> list[str]:
    """Which of the document's fields are null that the function needs."""
    names = [*node.same, "date"]
    if node.function == "recent_sum":
        names.append(str(node.field))
    wanting = [name for name in names if values.get(name) is None]
    if _group(node, values) is None:
        wanting.append(node.group[-1])
    return wanting


def recent_documents(
    node: Recent,
    values: Mapping[str, Value],
    around: Surroundings,
) -> Sequence[Mapping[str, Value]]:
    """The other documents that count."""
    day, group = values["date"], _group(node, values)
    same = ["company", *node.same, *(["currency"] if _in_currency(node, values) else [])]
    return [
        other
        for other in around.others or ()
        if other.get("status") not in node.void
        and _group(node, other) == group
        and _is_near(other.get("date"), day, node.days)
        and all(other.get(name) == values.get(name) for name in same)
    ]


def _in_currency(node: Recent, values: Mapping[str, Value]) -> bool:
    """Whether what is added or compared is in the document's own currency."""
    return node.field is not None and not node.field.startswith("base_") and "currency" in values


def _group(node: Recent, values: Mapping[str, Value]) -> Any:
    return next((values[name] for name in node.group if values.get(name) is not None), None)


def _is_near(one: Value, day: Value, days: int) -> bool:
    if not isinstance(one, date) or not isinstance(day, date):
        return False
    return abs((one - day).days) <= days
