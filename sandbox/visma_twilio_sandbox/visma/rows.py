"""How documents are kept: what they say, and apart from it who they are and when they changed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.visma import stamps, wire

if TYPE_CHECKING:
    from datetime import datetime

    from visma_twilio_sandbox.visma.endpoints import Endpoint

Item = dict[str, Any]
Key = tuple[str, ...]

CREATED = "createdDateTime"


class Form:
    """Which of a row's stamps the items of an endpoint show.

    Args:
        endpoint: The endpoint.
        is_2026: Whether the server is of early 2026 or later, when most items got ``timeStamp``.
    """

    __slots__ = ("created", "hidden", "places", "stamp", "version")

    def __init__(self, endpoint: Endpoint, *, is_2026: bool) -> None:
        since = "timeStamp" if is_2026 and endpoint.version_since_2026 else None
        self.stamp = endpoint.stamp
        self.created = endpoint.created
        self.version = endpoint.version or since
        self.hidden = endpoint.hidden
        shown = {self.stamp, CREATED if self.created else None, self.version, "metadata"}
        self.places = shown - {None}

    def body(self, item: Item) -> Item:
        """What an item says itself."""
        return {name: value for name, value in item.items() if name not in self.places}


class Body:
    """What one row says, or what many rows say alike. Never changed."""

    __slots__ = ("_encoded", "item")

    def __init__(self, item: Item) -> None:
        self.item = item
        self._encoded: bytes | None = None

    def encoded(self, hidden: frozenset[str]) -> bytes:
        """The fields as JSON, without braces."""
        if self._encoded is None:
            self._encoded = _inside(_without(self.item, hidden))
        return self._encoded


@dataclass(frozen=True, slots=True)
class Row:
    """An item as it is stored. A row is never changed, only replaced.

    Attributes:
        key: What tells it from the others.
        body: What it says.
        own: Fields that it has besides those of the body.
        stamp: When it was modified, by the server's clock.
        made: When it was created, by the server's clock.
        version: Number of the write.
        form: Which of these its item shows.
    """

    key: Key
    body: Body
    own: Item
    stamp: datetime
    made: datetime
    version: int
    form: Form

    @property
    def item(self) -> Item:
        """The item, without metadata; its parts are the row's own."""
        return {**self.body.item, **self.own, **self._stamps()}

    @property
    def encoded(self) -> bytes:
        """The item as JSON, without metadata and hidden fields."""
        own = {**_without(self.own, self.form.hidden), **self._stamps()}
        parts = [self.body.encoded(self.form.hidden), _inside(own)]
        return b"{" + b",".join(part for part in parts if part) + b"}"

    def field(self, name: str) -> Any:
        """The value of a field that is no stamp."""
        return self.own[name] if name in self.own else self.body.item.get(name)

    def _stamps(self) -> Item:
        form, shown = self.form, {}
        if form.created:
            shown[CREATED] = stamps.show(self.made)
        if form.stamp is not None:
            shown[form.stamp] = stamps.show(self.stamp)
        if form.version is not None:
            version = self.version.to_bytes(8, "big")
            shown[form.version] = base64.b64encode(version).decode("ascii")
        return shown


def _without(item: Item, hidden: frozenset[str]) -> Item:
    if not hidden:
        return item
    return {name: value for name, value in item.items() if name not in hidden}


def _inside(item: Item) -> bytes:
    return wire.encode(item)[1:-1]
