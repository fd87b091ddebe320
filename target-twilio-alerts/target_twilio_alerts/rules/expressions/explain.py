"""Says in words why a condition holds, does not hold, or cannot be decided. Slow, and exact."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.rules.expressions.compile import Values, compile_node, convert
from target_twilio_alerts.rules.expressions.nodes import (
    AmountIn,
    Both,
    Call,
    Compare,
    FieldOf,
    InList,
    IsNull,
    Literal,
    Node,
    Not,
    OneOf,
    Recent,
    Today,
)
from target_twilio_alerts.rules.expressions.recent import missing, recent_documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_twilio_alerts.rules.surroundings import Surroundings

_MAX_TEXT = 60
_MAX_CHOICES = 6
_VERBS = {
    "contains": ("contains", "does not contain"),
    "starts_with": ("starts with", "does not start with"),
}


class Explanation:
    """One decision, told.

    Args:
        current: The document's values.
        previous: Its previous version's values, if there is one.
        around: The day of the decision, and the rates.
    """

    def __init__(self, current: Values, previous: Values | None, around: Surroundings) -> None:
        self._context = (current, previous, around)

    def words(self, node: Node) -> str:
        """Say what is so, in the parts of the condition that made the answer."""
        return " and ".join(dict.fromkeys(self._parts(node)))

    def unknown(self, node: Node) -> Iterator[str]:
        """Yield the names that were null and left the node undecided."""
        if self._value(node) is not None:
            return
        if isinstance(node, Both):
            for term in node.terms:
                yield from self.unknown(term)
            return
        if isinstance(node, Not):
            yield from self.unknown(node.operand)
            return
        for each in node.walk():
            if isinstance(each, (FieldOf, Today)) and self._value(each) is None:
                yield each.render()
            if isinstance(each, AmountIn) and self._value(each) is None:
                yield from self._null_parts(each)
            if isinstance(each, Call) and self._is_unreadable(each):
                yield each.render()
            if isinstance(each, Recent) and self._value(each) is None:
                yield from missing(each, self._context[0]) or [each.render()]

    def without_rate(self, node: Node) -> Iterator[str]:
        """Yield the rates that were missing, where all else for an amount was there."""
        for each in node.walk():
            if not isinstance(each, AmountIn) or self._value(each) is not None:
                continue
            if not self._null_parts(each):
                yield self._missing_rate(each)

    def _is_unreadable(self, node: Call) -> bool:
        """Whether a function gives nothing, though it is given something."""
        given = [self._value(argument) for argument in node.arguments]
        return None not in given and self._value(node) is None

    def _null_parts(self, node: AmountIn) -> list[str]:
        current = self._context[0]
        parts = ["amount", "currency"]
        if current.get("currency") != node.currency:
            parts.append("date")
        return [name for name in parts if current.get(name) is None]

    def _missing_rate(self, node: AmountIn) -> str:
        current, _, around = self._context
        day = show_value(current["date"])
        since = "" if around.rates is None else f" or up to {around.rates.max_age.days} days before"
        return f"there is no rate of {current['currency']} to {node.currency} of {day}{since}"

    def _value(self, node: Node) -> Any:
        return compile_node(node)(*self._context)

    def _parts(self, node: Node) -> Iterator[str]:
        answer = self._value(node)
        if answer is None:
            return
        if isinstance(node, Not):
            yield from self._parts(node.operand)
        elif isinstance(node, Both):
            for term in node.terms:
                if self._value(term) is answer:
                    yield from self._parts(term)
        else:
            yield self._part(node, answer=answer)

    def _part(self, node: Node, *, answer: bool) -> str:
        if isinstance(node, Compare):
            return self._comparison(node, answer=answer)
        if isinstance(node, (OneOf, InList)):
            return self._membership(node, inside=answer is not node.negated)
        if isinstance(node, IsNull):
            return f"{node.operand.render()} is {show_value(self._value(node.operand))}"
        if isinstance(node, Call):
            subject, other = node.arguments
            verb = _VERBS[node.function][not answer]
            return f"{self.show(subject)} {verb} {self.show(other)}"
        if isinstance(node, Literal):
            return f"the condition is always {show_value(answer)}"
        return f"{node.render()} is {show_value(answer)}"

    def _membership(self, node: OneOf | InList, *, inside: bool) -> str:
        is_it = "is" if inside else "is not"
        if isinstance(node, InList):
            return f"{self.show(node.item)} {is_it} in {self.show(node.container)}"
        shown = [self.show(choice) for choice in node.choices[:_MAX_CHOICES]]
        more = ["..."] if len(node.choices) > _MAX_CHOICES else []
        return f"{self.show(node.item)} {is_it} one of {', '.join(shown + more)}"

    def _comparison(self, node: Compare, *, answer: bool) -> str:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, Literal) and not isinstance(right, Literal):
            left, right, operator = right, left, _TURNED[operator]
        if operator in {"==", "!="}:
            same = answer is (operator == "==")
            if same and isinstance(right, Literal):
                return f"{left.render()} is {self.show(right)}"
            return f"{self.show(left)} {'is' if same else 'is not'} {self.show(right)}"
        not_so = "" if answer else "is not "
        return f"{self.show(left)} {not_so}{operator} {self.show(right)}"

    def show(self, node: Node) -> str:
        """Name a node with its value: `amount 75000.00`; a fixed value as it is."""
        shown = show_value(self._value(node))
        if isinstance(node, AmountIn):
            shown += self._by_rate(node)
        if isinstance(node, Recent):
            shown += self._with_others(node)
        return shown if isinstance(node, Literal) else f"{node.render()} {shown}"

    def _with_others(self, node: Recent) -> str:
        current, _, around = self._context
        if self._value(node) is None:
            return ""
        found = [str(one.get("number")) for one in recent_documents(node, current, around)]
        more = ["..."] if len(found) > _MAX_CHOICES else []
        return f" (with {', '.join(found[:_MAX_CHOICES] + more)})" if found else ""

    def _by_rate(self, node: AmountIn) -> str:
        current, _, around = self._context
        converted = convert(node, current, around)
        if converted is None or converted.rate is None:
            return ""
        rate = converted.rate
        shown = f"{show_value(current['amount'])} {current['currency']}"
        return f" ({shown}, 1 {rate.base} = {rate.rate:f} {rate.quote} of {rate.day.isoformat()})"


_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def show_value(value: Any) -> str:
    """A value as a reason shows it; a long text is cut."""
    show = _SHOWN.get(type(value))
    return "null" if show is None else show(value)


def _show_text(value: str) -> str:
    cut = value if len(value) <= _MAX_TEXT else f"{value[: _MAX_TEXT - 3]}..."
    return '"' + " ".join(cut.split()) + '"'


def _show_list(value: tuple[str, ...]) -> str:
    shown = [show_value(each) for each in value[:_MAX_CHOICES]]
    return f"[{', '.join([*shown, '...'] if len(value) > _MAX_CHOICES else shown)}]"


_SHOWN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    str: _show_text,
    date: date.isoformat,
    timedelta: lambda value: "1 day" if value.days == 1 else f"{value.days} days",
    tuple: _show_list,
    Decimal: lambda value: f"{value:f}",
}
