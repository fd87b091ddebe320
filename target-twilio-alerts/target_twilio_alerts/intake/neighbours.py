"""Other documents of a document's group, of about its date: looked up once, kept up to date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from target_twilio_alerts.documents import load_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.ledger.versions import StoredVersion


class Neighbours:
    """The groups that a group of arrivals meets.

    Args:
        load: Stored documents of a group that are dated within two days.
        days: By entity, how far from a document its rules look; others have no neighbours.
    """

    def __init__(
        self,
        load: Callable[[str, date, date], Iterable[StoredVersion]],
        days: Mapping[str, int],
    ) -> None:
        self._load = load
        self._days = days
        self._spans: dict[str, tuple[date, date]] = {}
        self._values: dict[str, dict[str, Mapping[str, Value]]] = {}
        self._group_of: dict[str, str] = {}
        self._newer: set[str] = set()

    def of(
        self,
        entity: Entity,
        document_id: str,
        values: Mapping[str, Value],
    ) -> tuple[Mapping[str, Value], ...] | None:
        """Values of the others that may be near enough; None if no rule of the entity looks."""
        days = self._days.get(entity.name)
        if days is None:
            return None
        group, day = entity.group(values), values.get("date")
        if group is None or not isinstance(day, date):
            return ()
        self._look(entity, group, day - timedelta(days=days), day + timedelta(days=days))
        known = self._values[group]
        return tuple(one for other_id, one in known.items() if other_id != document_id)

    def put(self, version: StoredVersion, entity: Entity, values: Mapping[str, Value]) -> None:
        """Take a document's newest version in, and its last one out, whatever the ledger says."""
        if entity.name not in self._days:
            return
        self._newer.add(version.id)
        before = self._group_of.pop(version.id, None)
        if before is not None:
            self._values[before].pop(version.id, None)
        if version.grouping in self._values:
            self._values[version.grouping][version.id] = values
            self._group_of[version.id] = version.grouping

    def _look(self, entity: Entity, group: str, earliest: date, latest: date) -> None:
        known = self._spans.get(group)
        if known is not None:
            if known[0] <= earliest and latest <= known[1]:
                return
            earliest, latest = min(known[0], earliest), max(known[1], latest)
        held = self._values.setdefault(group, {})
        for version in self._load(group, earliest, latest):
            if version.id not in self._group_of and version.id not in self._newer:
                held[version.id] = load_values(version.header, entity)
                self._group_of[version.id] = group
        self._spans[group] = (earliest, latest)
