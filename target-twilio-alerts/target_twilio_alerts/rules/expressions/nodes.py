"""A checked condition as a tree: every node knows its type; nothing in it can fail any more."""
# ruff: noqa: D102 - the base class describes children and render

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


class Type(str, Enum):
    """The types of the language; all but duration are types of fields too."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"
    DURATION = "duration"

    @property
    def described(self) -> str:
        """The type with its article, as errors say it."""
        return _DESCRIBED[self]


_DESCRIBED = {
    Type.TEXT: "text",
    Type.NUMBER: "a number",
    Type.BOOLEAN: "true or false",
    Type.DATE: "a date",
    Type.LIST: "a list",
    Type.DURATION: "a number of days",
}

Constant: TypeAlias = str | Decimal | bool | date | timedelta


class Node(ABC):
    """A part of a condition."""

    type: Type

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below, from left to right."""
        return ()

    @abstractmethod
    def render(self) -> str:
        """Write it in one form, whatever spaces, brackets and number forms its source had."""

    def walk(self) -> Iterator[Node]:
        """Yield it and all below it, from left to right."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def uses_clock(self) -> bool:
        """Whether it depends on the day of the decision."""
        return any(isinstance(each, Today) for each in self.walk())


@dataclass(frozen=True)
class Literal(Node):
    """A fixed value."""

    type: Type
    value: Constant

    def render(self) -> str:
        return render_constant(self.value)


@dataclass(frozen=True)
class FieldOf(Node):
    """A field of the document, or of its previous version."""

    type: Type
    name: str
    previous: bool

    def render(self) -> str:
        return f"previous.{self.name}" if self.previous else self.name


@dataclass(frozen=True)
class Today(Node):
    """The day of the decision."""

    type: Type = Type.DATE

    def render(self) -> str:
        return "today"


@dataclass(frozen=True)
class Call(Node):
    """A function: abs, lower, first_day, contains, starts_with."""

    type: Type
    function: str
    arguments: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.arguments

    def render(self) -> str:
        return f"{self.function}({', '.join(each.render() for each in self.arguments)})"


@dataclass(frozen=True)
class AmountIn(Node):
    """The document's amount in a fixed currency, by the rate of its date."""

    currency: str
    type: Type = Type.NUMBER

    def render(self) -> str:
        return f'amount_in("{self.currency}")'


@dataclass(frozen=True)
class Recent(Node):
    """Documents of the same group within so many days of this one: how many, their sum or largest.

    Attributes:
        function: recent_count, recent_sum or recent_max.
        days: How far away a document's date may be, before or after.
        field: What is summed or compared; None for a count.
        same: Fields that must be the same as this document's.
        group: Fields that tell the group.
        void: Statuses of documents that do not count.
    """

    function: str
    days: int
    field: str | None
    same: tuple[str, ...]
    group: tuple[str, ...]
    void: frozenset[str]
    type: Type = Type.NUMBER

    def render(self) -> str:
        parts = [*([self.field] if self.field else []), f"days({self.days})", *self.same]
        return f"{self.function}({', '.join(parts)})"


@dataclass(frozen=True)
class Arithmetic(Node):
    """`left + right` or `left - right`."""

    type: Type
    operator: str
    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def render(self) -> str:
        return f"{_bracketed(self.left)} {self.operator} {_bracketed(self.right)}"


@dataclass(frozen=True)
class Negative(Node):
    """`-operand`."""

    type: Type
    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def render(self) -> str:
        return f"-{_bracketed(self.operand)}"


@dataclass(frozen=True)
class Compare(Node):
    """`left operator right`, both of one type."""

    operator: str
    left: Node
    right: Node
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def render(self) -> str:
        return f"{_bracketed(self.left)} {self.operator} {_bracketed(self.right)}"


@dataclass(frozen=True)
class OneOf(Node):
    """`item in [choices]`, or `not in`."""

    item: Node
    choices: tuple[Literal, ...]
    negated: bool
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.item,)

    def render(self) -> str:
        choices = ", ".join(each.render() for each in self.choices)
        return f"{_bracketed(self.item)} {_not(self.negated)}in [{choices}]"


@dataclass(frozen=True)
class InList(Node):
    """`item in field`, the field being a list; or `not in`."""

    item: Node
    container: FieldOf
    negated: bool
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.item, self.container)

    def render(self) -> str:
        return f"{_bracketed(self.item)} {_not(self.negated)}in {self.container.render()}"


@dataclass(frozen=True)
class IsNull(Node):
    """`field is null`, or `is not null`."""

    operand: FieldOf
    negated: bool
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def render(self) -> str:
        return f"{self.operand.render()} is {_not(self.negated)}null"


@dataclass(frozen=True)
class Both(Node):
    """`and` or `or` over two or more terms."""

    operator: str
    terms: tuple[Node, ...]
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return self.terms

    def render(self) -> str:
        return f" {self.operator} ".join(map(_bracketed, self.terms))


@dataclass(frozen=True)
class Not(Node):
    """`not operand`."""

    operand: Node
    type: Type = Type.BOOLEAN

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def render(self) -> str:
        return f"not {_bracketed(self.operand)}"


def render_constant(value: Constant) -> str:
    """Write a fixed value as the language has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        whole = f"{value:f}"
        return whole.rstrip("0").rstrip(".") if "." in whole else whole
    if isinstance(value, timedelta):
        return f"days({value.days})"
    text = value.isoformat() if isinstance(value, date) else value
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bracketed(node: Node) -> str:
    simple = isinstance(node, (Literal, FieldOf, Today, Call, AmountIn, Recent))
    return node.render() if simple else f"({node.render()})"


def _not(negated: bool) -> str:
    return "not " if negated else ""
