"""Which fields of a document cannot be null where a condition holds."""

from __future__ import annotations

from target_twilio_alerts.rules.expressions.nodes import (
    AmountIn,
    Both,
    FieldOf,
    IsNull,
    Node,
    Not,
)

_CONVERTED = frozenset({"amount", "currency"})


def needed_fields(node: Node, *, holds: bool = True) -> frozenset[str]:
    """Fields of the document that must be known for a condition to hold, or to fail for sure.

    Of a part that is no condition: for it to have a value. Fields of the previous version are left
    out.
    """
    if isinstance(node, Not):
        return needed_fields(node.operand, holds=not holds)
    if isinstance(node, Both):
        each = [needed_fields(term, holds=holds) for term in node.terms]
        decided_by_one = (node.operator == "or") is holds
        return frozenset.intersection(*each) if decided_by_one else frozenset.union(*each)
    if isinstance(node, IsNull):
        return _named(node.operand) if node.negated is holds else frozenset()
    if isinstance(node, FieldOf):
        return _named(node)
    if isinstance(node, AmountIn):
        return _CONVERTED
    return frozenset().union(*map(_for_a_value, node.children))


def _for_a_value(node: Node) -> frozenset[str]:
    """Fields that must be known for a part to have a value, be it true or false."""
    if isinstance(node, (Both, IsNull, Not)):
        return needed_fields(node) & needed_fields(node, holds=False)
    return needed_fields(node)


def _named(node: FieldOf) -> frozenset[str]:
    return frozenset() if node.previous else frozenset({node.name})
