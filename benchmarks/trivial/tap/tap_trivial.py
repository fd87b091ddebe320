"""A tap with one stream and no records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Nothing(Stream):
    """A stream in which nothing is new."""

    name = "nothing"
    primary_keys: ClassVar[list[str]] = ["id"]
    schema = th.PropertiesList(th.Property("id", th.IntegerType)).to_dict()

    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Give nothing."""
        return ()


class TapTrivial(Tap):
    """Gives nothing."""

    name = "tap-trivial"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}

    def discover_streams(self) -> list[Stream]:
        """One stream."""
        return [Nothing(self)]
