"""Checks a condition's names and types against its entity, and builds the typed tree."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.rules.expressions.calls import FUNCTIONS, check_call
from target_twilio_alerts.rules.expressions.comparisons import check_comparison
from target_twilio_alerts.rules.expressions.names import nearest, suggestion
from target_twilio_alerts.rules.expressions.nodes import (
    Arithmetic,
    Both,
    FieldOf,
    Literal,
    Negative,
    Node,
    Not,
    Today,
    Type,
)
from target_twilio_alerts.rules.expressions.recent import RECENT
from target_twilio_alerts.rules.expressions.scan import COMMA, MAX_DEPTH
from target_twilio_alerts.rules.expressions.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from target_twilio_alerts.documents import Entity, Field

_NUMBER = re.compile(r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+")
_MAX_DIGITS = 30
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = {"null", "None"}
_SIGNED = {Type.NUMBER, Type.DURATION}


class Checker:
    """Checks one condition.

    Args:
        text: The condition.
        entity: Whose fields it may name.

    Raises:
        ConditionError: The text cannot be read as a condition at all.
    """

    def __init__(self, text: str, entity: Entity) -> None:
        self.entity = entity
        self.source = Source(text)
        self._depth = 0
        self._checks: dict[type[ast.expr], Callable[[ast.expr], Node]] = {
            ast.BoolOp: self._both,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._arithmetic,
            ast.Compare: lambda node: check_comparison(self, node),
            ast.Call: lambda node: check_call(self, node),
            ast.Name: self._name,
            ast.Attribute: self._dotted,
            ast.Constant: self._constant,
        }

    def check(self) -> Node:
        """Return the tree.

        Raises:
            ConditionError: A name does not exist, or types do not go together.
        """
        return self.condition(self.source.root)

    def condition(self, node: ast.expr) -> Node:
        """Check a part that must be true or false."""
        checked = self.value(node)
        if checked.type is not Type.BOOLEAN:
            example = {Type.NUMBER: " > 0", Type.TEXT: ' == "..."', Type.DATE: " < today"}
            mend = example.get(checked.type)
            mend = f"; compare it, as in {self.source.of(node)}{mend}" if mend else ""
            self.source.fail(
                f"{self.described(node, checked)}, where a condition is needed{mend}",
                node,
            )
        return checked

    def value(self, node: ast.expr) -> Node:
        """Check a part that may be of any type."""
        check = self._checks.get(type(node))
        if check is None:
            self._refuse(node)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.source.fail(
                f"the condition is nested more than {MAX_DEPTH} deep; split it into several rules",
                node,
            )
        checked = check(node)
        self._depth -= 1
        return checked

    def _refuse(self, node: ast.expr) -> NoReturn:
        if isinstance(node, ast.Tuple):
            self.source.fail_at_end(COMMA, node.elts[0] if node.elts else node)
        if isinstance(node, (ast.List, ast.Subscript)):
            self.source.fail('a list belongs behind `in`, as in currency in ["SEK", "EUR"]', node)
        self.source.fail(f"`{self.source.of(node)}` is not understood", node)

    def described(self, node: ast.expr, checked: Node) -> str:
        """Name a part and its type: `amount is a number`."""
        return f"{self.source.of(node)} is {checked.type.described}"

    def field(self, name: str) -> Field | None:
        """The entity's field of that name, which may be one of its records' own."""
        return self.entity.fields.get(name) or self.entity.raw_fields.get(name)

    def names(self) -> list[str]:
        """What a bare name may be."""
        return [*self.entity.fields, "today", "previous"]

    def _both(self, node: ast.expr) -> Node:
        assert isinstance(node, ast.BoolOp)  # noqa: S101 - dispatched by type
        terms = tuple(self.condition(term) for term in node.values)
        return Both("and" if isinstance(node.op, ast.And) else "or", terms)

    def _unary(self, node: ast.expr) -> Node:
        assert isinstance(node, ast.UnaryOp)  # noqa: S101 - dispatched by type
        if isinstance(node.op, ast.Not):
            return Not(self.condition(node.operand))
        if not isinstance(node.op, ast.USub):
            self.source.fail("write a positive number without its sign", node)
        operand = self.value(node.operand)
        if operand.type not in _SIGNED:
            self.source.fail(
                f"{self.described(node.operand, operand)}; only a number can have a minus",
                node,
            )
        if isinstance(operand, Literal) and isinstance(operand.value, Decimal):
            return Literal(Type.NUMBER, operand.value.copy_negate())
        if isinstance(operand, Literal) and isinstance(operand.value, timedelta):
            return Literal(Type.DURATION, -operand.value)
        return Negative(operand.type, operand)

    def _arithmetic(self, node: ast.expr) -> Node:
        assert isinstance(node, ast.BinOp)  # noqa: S101 - dispatched by type
        if not isinstance(node.op, (ast.Add, ast.Sub)):
            self.source.fail("only + and - are understood", node)
        left, right = self.value(node.left), self.value(node.right)
        operator = "+" if isinstance(node.op, ast.Add) else "-"
        result = _RESULTS.get((left.type, operator, right.type))
        if result is None:
            mend = ""
            if {left.type, right.type} == {Type.DATE, Type.NUMBER}:
                mend = "; write a number of days as days(3)"
            self.source.fail(
                f"{self.described(node.left, left)} and {self.described(node.right, right)}: "
                f"{operator} does not go with them{mend}",
                node,
            )
        return Arithmetic(result, operator, left, right)

    def _name(self, node: ast.expr) -> Node:
        assert isinstance(node, ast.Name)  # noqa: S101 - dispatched by type
        name = node.id
        field = self.field(name)
        if field is not None:
            return FieldOf(Type(field.kind.value), name, previous=False)
        if name in _CONSTANTS:
            return Literal(Type.BOOLEAN, _CONSTANTS[name])
        if name == "today":
            return Today()
        if name in _NULLS:
            self.source.fail("null can only be asked for: `x is null` or `x is not null`", node)
        if name == "previous":
            self.source.fail("`previous` needs a field, as in previous.status", node)
        if name == "record":
            self.source.fail("`record` needs a field, as in record.supplier.name", node)
        if name in FUNCTIONS:
            self.source.fail(f"write it with brackets: {FUNCTIONS[name].example}", node)
        if name in RECENT:
            self.source.fail(f"write it with brackets: {RECENT[name]}", node)
        return self.unknown(name, node)

    def unknown(self, name: str, node: ast.expr, *, text: bool = False) -> NoReturn:
        """Refuse a name that the entity does not have.

        Args:
            name: The name.
            node: Where it stands.
            text: Whether a text would do there, so that only the quotes may be missing.
        """
        meant = nearest(name, self.names())
        what = f"{self.entity.name} has no field {name}"
        if text and (meant is None or name[:1].isupper()):
            self.source.fail(f'{what}; if it is text, put it in quotes: "{name}"', node)
        self.source.fail(f"{what}; {suggestion(name, self.names(), 'it has')}", node)

    def _dotted(self, node: ast.expr) -> Node:
        """Check `previous.status`, `record.supplier.name` or `previous.record.supplier.name`."""
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.insert(0, inner.attr)
            inner = inner.value
        root = inner.id if isinstance(inner, ast.Name) else ""
        if root not in {"previous", "record"}:
            self.source.fail(
                "only previous and record have parts behind a dot, as in previous.status or "
                "record.supplier.name",
                node,
            )
        previous = root == "previous"
        name = ".".join(parts if previous else [root, *parts])
        field = self.field(name)
        if field is None:
            is_raw = name.partition(".")[0] == "record"
            known = self.entity.raw_fields if is_raw else self.entity.fields
            what = f"{self.entity.name} has no field {name}"
            meant = nearest(name, known)
            if is_raw and meant is None:
                self.source.fail(f"{what}; its names are those of Visma's API, case and all", node)
            self.source.fail(f"{what}; {suggestion(name, known, 'it has')}", node)
        return FieldOf(Type(field.kind.value), name, previous=previous)

    def _constant(self, node: ast.expr) -> Node:
        assert isinstance(node, ast.Constant)  # noqa: S101 - dispatched by type
        if node.value is None or isinstance(node.value, bool):
            return self._name(ast.copy_location(ast.Name(str(node.value)), node))
        if isinstance(node.value, str):
            return Literal(Type.TEXT, node.value)
        source = self.source.of(node)
        if not _NUMBER.fullmatch(source):
            self.source.fail(f"write the number {source} in full, as in 50000 or 0.5", node)
        number = Decimal(source.replace("_", ""))
        if number and (abs(number.adjusted()) > _MAX_DIGITS or len(source) > 2 * _MAX_DIGITS):
            self.source.fail(f"a number has at most {_MAX_DIGITS} digits", node)
        return Literal(Type.NUMBER, number)


_RESULTS = {
    (Type.NUMBER, "+", Type.NUMBER): Type.NUMBER,
    (Type.NUMBER, "-", Type.NUMBER): Type.NUMBER,
    (Type.DATE, "+", Type.DURATION): Type.DATE,
    (Type.DURATION, "+", Type.DATE): Type.DATE,
    (Type.DATE, "-", Type.DURATION): Type.DATE,
    (Type.DATE, "-", Type.DATE): Type.DURATION,
    (Type.DURATION, "+", Type.DURATION): Type.DURATION,
    (Type.DURATION, "-", Type.DURATION): Type.DURATION,
}
