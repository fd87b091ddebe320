"""A stream's JSON schema as a type: one pass reads a record, checks it and puts it in order.

Most schemas only say which of JSON's types a field has. Their records are read straight into
objects whose fields stand in the order of their names; what such an object is written as is the one
form of its content. A schema that says more, or a record that has more than its schema, is read the
slow way, which gives the same.
"""

from __future__ import annotations

import keyword
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from target_twilio_alerts.documents.exact import canonical_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SILENT = frozenset({"title", "description", "format", "examples", "default"})
"""Keywords that check nothing; what `format` says is not checked the slow way either."""

_SCALARS: dict[str, type | None] = {"string": str, "integer": int, "boolean": bool, "null": None}
_EXACT_NUMBERS = frozenset({int, Decimal, type(None)})


class NotTypedError(Exception):
    """A schema that says more than types, or whose records hold what has no type."""


class Shape:
    """The type of the objects that a schema describes.

    Args:
        schema: Of an object.
        volatile: Names of fields that are no content, at every depth.

    Raises:
        NotTypedError: It cannot be one.
    """

    def __init__(self, schema: Mapping[str, Any], volatile: frozenset[str]) -> None:
        if schema.keys() - _SILENT - {"type", "properties", "required", "additionalProperties"}:
            raise NotTypedError
        properties = schema.get("properties")
        if not properties:
            raise NotTypedError
        required = set(schema.get("required") or ())
        if required - properties.keys():
            raise NotTypedError
        self._volatile = volatile
        self._attributes = {name: _attribute(name, at) for at, name in enumerate(properties)}
        self._objects: dict[str, Shape] = {}
        self._arrays: dict[str, Shape | None] = {}
        self._numbers: list[str] = []
        self._scalars: dict[str, type] = {}
        fields: list[Any] = []
        for name in sorted(properties):
            attribute = self._attributes[name]
            kind = self._type(name, properties[name], is_required=name in required)
            fields.append((attribute, kind) if name in required else (attribute, kind, None))
        self.type = msgspec.defstruct(
            "Record",
            fields,
            kw_only=True,
            omit_defaults=True,
            forbid_unknown_fields=True,
            gc=False,
            rename={attribute: name for name, attribute in self._attributes.items()},
        )
        self.settle = self._settler()
        """Takes the volatile fields out of a record; False if it has text where a number should be.
        """

    def _type(self, name: str, schema: Mapping[str, Any], *, is_required: bool) -> Any:
        """The type of a field; notes what it is, for `find` and `settle`."""
        kinds = _kinds(schema)
        can_be_null = "null" in kinds
        if is_required and can_be_null:
            raise NotTypedError  # where it is null, it would be content
        others = [kind for kind in kinds if kind != "null"]
        if others == ["object"]:
            self._objects[name] = Shape(schema, self._volatile)
            kind: Any = self._objects[name].type
        elif others == ["array"]:
            kind = self._list(name, schema)
        elif others == ["number"]:
            if not can_be_null:
                raise NotTypedError  # null would pass for nothing
            self._numbers.append(self._attributes[name])
            return Any
        else:
            kind = self._scalars[name] = _scalar(schema, others)
        return kind | None if can_be_null else kind

    def _list(self, name: str, schema: Mapping[str, Any]) -> Any:
        items = schema.get("items")
        if schema.keys() - _SILENT - {"type", "items"} or not isinstance(items, dict):
            raise NotTypedError
        kinds = _kinds(items)
        others = [kind for kind in kinds if kind != "null"]
        if others == ["object"]:
            shape = Shape(items, self._volatile)
            self._arrays[name] = shape
            kind: Any = shape.type
        else:
            self._arrays[name] = None
            kind = _scalar(items, others)
        return list[kind | None] if "null" in kinds else list[kind]

    @property
    def needs_settling(self) -> bool:
        """Whether `settle` has anything to do."""
        parts = [*self._objects.values(), *self._arrays.values()]
        return (
            bool(self._numbers)
            or not self._volatile.isdisjoint(self._attributes)
            or any(part is not None and part.needs_settling for part in parts)
        )

    def _settler(self) -> Callable[[Any], bool]:
        numbers = attrgetter(*self._numbers, *self._numbers[:1]) if self._numbers else None
        left_out = [
            self._attributes[name] for name in sorted(self._volatile & set(self._attributes))
        ]
        objects = [
            (attrgetter(self._attributes[name]), part.settle)
            for name, part in self._objects.items()
            if part.needs_settling and name not in self._volatile
        ]
        arrays = [
            (attrgetter(self._attributes[name]), part.settle)
            for name, part in self._arrays.items()
            if part is not None and part.needs_settling and name not in self._volatile
        ]

        def settle(record: Any) -> bool:
            if numbers is not None and not _EXACT_NUMBERS.issuperset(map(type, numbers(record))):
                return False
            for attribute in left_out:
                setattr(record, attribute, None)
            for get, settle_part in objects:
                part = get(record)
                if part is not None and not settle_part(part):
                    return False
            for get, settle_part in arrays:
                for part in get(record) or ():
                    if part is not None and not settle_part(part):
                        return False
            return True

        return settle

    def find(self, path: str) -> Callable[[Any], Any]:
        """A function from a record to its value at a path; see `Access`.

        Raises:
            NotTypedError: The path does not lead through objects.
        """
        name, _, rest = path.partition(".")
        if name not in self._attributes:
            return _nothing
        if bool(rest) is not (name in self._objects):
            raise NotTypedError
        get = attrgetter(self._attributes[name])
        if not rest:
            return get
        find = self._objects[name].find(rest)

        def read(record: Any) -> Any:
            part = get(record)
            return None if part is None else find(part)

        return read

    def items(self, path: str) -> Shape:
        """The shape of the items of the array at a path; see `Access`.

        Raises:
            NotTypedError: There is no array of objects.
        """
        name, _, rest = path.partition(".")
        if rest and name in self._objects:
            return self._objects[name].items(rest)
        shape = self._arrays.get(name)
        if rest or shape is None:
            raise NotTypedError
        return shape

    def is_known(self, path: str, kind: type) -> bool:
        """Whether all that `find` ever gives for a path is of one type, or None."""
        name, _, rest = path.partition(".")
        if rest:
            return name in self._objects and self._objects[name].is_known(rest, kind)
        return self._scalars.get(name) is kind

    def is_object(self, value: Any) -> bool:
        """Whether a value is an object of this shape."""
        return isinstance(value, self.type)

    def decoder(self, stream: str) -> msgspec.json.Decoder[Any]:
        """A decoder of RECORD messages of a stream; their `record` is of this shape."""
        message = msgspec.defstruct(
            "Message",
            [("type", Literal["RECORD"]), ("stream", Literal[stream]), ("record", self.type)],
            gc=False,
        )
        return msgspec.json.Decoder(message, float_hook=canonical_of)


def _nothing(_record: Any) -> None:
    return None


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("type")
    listed = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(listed, list) or not all(isinstance(kind, str) for kind in listed):
        raise NotTypedError
    return listed


def _scalar(schema: Mapping[str, Any], kinds: list[str]) -> Any:
    """The type of a text, a whole number, or yes or no."""
    if schema.keys() - _SILENT - {"type"} or len(kinds) != 1 or kinds[0] not in _SCALARS:
        raise NotTypedError
    return _SCALARS[kinds[0]]


def _attribute(name: str, at: int) -> str:
    """The attribute for a field: its name, where that can be one."""
    is_plain = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
    return name if is_plain and not name.startswith("_") else f"_{at}"
