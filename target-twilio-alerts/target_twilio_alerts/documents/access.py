"""How what a record has at a path is found: here by names, in records that are dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from target_twilio_alerts.documents.errors import UnreadableValue

if TYPE_CHECKING:
    from collections.abc import Callable

ARRAY = "[]."
"""Stands in a path behind the name of an array, before what each of its items has."""


class Access(Protocol):
    """Finds values in records of one kind, or in the items of one of their arrays."""

    def find(self, path: str) -> Callable[[Any], Any]:
        """A function from a record to its value at a path such as "supplier.name".

        It gives None where there is nothing, and raises UnreadableValue where the path leads
        through something that is no object.
        """
        ...

    def items(self, path: str) -> Access:
        """Access to the items of the array at a path."""
        ...

    def is_known(self, path: str, kind: type) -> bool:
        """Whether all that `find` ever gives for a path is of one type, or None."""
        ...

    def is_object(self, value: Any) -> bool:
        """Whether a value is an object, so that paths lead through it."""
        ...


class _ByName:
    """Access to dictionaries, and dictionaries in them."""

    def find(self, path: str) -> Callable[[Any], Any]:
        parts = path.split(".")

        def read(record: Any) -> Any:
            value = record
            for part in parts:
                if value is None:
                    return None
                if not isinstance(value, dict):
                    raise UnreadableValue("is not where it should be")
                value = value.get(part)
            # Some connectors saw {"value": x} where the contract has x; both mean x.
            if isinstance(value, dict) and value.keys() == {"value"}:
                return value["value"]
            return value

        return read

    def items(self, path: str) -> Access:  # noqa: ARG002 - the same for all
        return self

    def is_known(self, path: str, kind: type) -> bool:  # noqa: ARG002 - anything may come
        return False

    def is_object(self, value: Any) -> bool:
        return isinstance(value, dict)


BY_NAME: Access = _ByName()
