"""Finds conditions that can never hold, because their parts contradict each other."""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from target_twilio_alerts.rules.expressions.nodes import (
    Both,
    Compare,
    IsNull,
    Literal,
    Node,
    OneOf,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Demand(NamedTuple):
    """What one part demands of an operand: one of some values, or an order; and the part."""

    operator: str
    values: tuple[Any, ...]
    part: str

    def allows(self, value: Any) -> bool:
        if self.operator == "in":
            return value in self.values
        if self.operator == "not in":
            return value not in self.values
        return _TESTS[self.operator](value, self.values[0])


def contradiction(node: Node) -> str | None:
    """Parts of a condition that cannot hold at once, so that it never does; None if it may.

    Only comparisons with fixed values are looked at: a condition may be without hope in other ways.
    """
    if isinstance(node, Both) and node.operator == "or":
        found = [contradiction(term) for term in node.terms]
        return None if None in found else found[0]
    terms = list(_joined(node))
    for term in terms:
        if term is not node and (within := contradiction(term)) is not None:
            return within
    demands: dict[Node, list[_Demand]] = defaultdict(list)
    for term in terms:
        for operand, demand in _demands(term):
            demands[operand].append(demand)
    for of_one in demands.values():
        if not _possible(of_one):
            return " and ".join(dict.fromkeys(demand.part for demand in of_one))
    return None


def _joined(node: Node) -> Iterator[Node]:
    if isinstance(node, Both) and node.operator == "and":
        for term in node.terms:
            yield from _joined(term)
    else:
        yield node


def _demands(term: Node) -> Iterator[tuple[Node, _Demand]]:
    if isinstance(term, IsNull):
        yield term.operand, _Demand("not null" if term.negated else "null", (), term.render())
    if isinstance(term, OneOf):
        values = tuple(choice.value for choice in term.choices)
        kind = "not in" if term.negated else "in"
        yield term.item, _Demand(kind, values, term.render())
    if isinstance(term, Compare):
        left, right = term.left, term.right
        if isinstance(right, Literal) and not isinstance(left, Literal):
            yield left, _Demand(term.operator, (right.value,), term.render())
        elif isinstance(left, Literal) and not isinstance(right, Literal):
            yield right, _Demand(_TURNED[term.operator], (left.value,), term.render())
        else:
            for side in (left, right):
                yield side, _Demand("not null", (), term.render())


def _possible(demands: list[_Demand]) -> bool:
    kinds = {demand.operator for demand in demands}
    if "null" in kinds:
        return kinds == {"null"}
    known = [demand for demand in demands if demand.operator != "not null"]
    fixed = [demand for demand in known if demand.operator in {"==", "in"}]
    if fixed:
        return any(all(one.allows(value) for one in known) for value in fixed[0].values)
    lows = [demand for demand in known if demand.operator in {">", ">="}]
    highs = [demand for demand in known if demand.operator in {"<", "<="}]
    for low in lows:
        for high in highs:
            strict = low.operator == ">" or high.operator == "<"
            if low.values[0] > high.values[0] or (strict and low.values[0] == high.values[0]):
                return False
    return True
