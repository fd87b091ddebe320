"""The output of a tap as a past: its records by their stamps, since it has no moment of arrival."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.documents import UnreadableValue, UnusableRecord
from target_twilio_alerts.documents.order import canonical_stamp
from target_twilio_alerts.documents.typed import DELETED_AT, TypedStream
from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.arrivals import Arrival, arrive, identity_of
from target_twilio_alerts.reading import AlertsReader
from target_twilio_alerts.rehearsal.past import (
    EveryFiveMinutes,
    Happening,
    Past,
    RateRecord,
    counted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.rules import Alerts

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_NOON = time(12)
_YEARS = range(1990, 2200)
"""A stamp of another year is none: systems write 0001 or 9999 for what they do not know."""

_STAMP, _DATE, _NEITHER = "stamp", "date", "neither"

_ASSUMED = (
    (
        "all came after the first complete read, so that none is a baseline; most documents are in "
        "a file once, as they were last, and what they were before is not known"
    ),
    "a run came every five minutes, day and night, until all that waited was told",
)


class SingerFile(Past):
    """A file of Singer messages.

    It is read twice, so that memory does not grow with it: once for the moments of its records, and
    once more in their order.

    Args:
        path: The file.
        alerts: The alerts file that it is read for.

    Raises:
        ProtocolError: It is no Singer stream.
    """

    is_over = False

    def __init__(self, path: Path, alerts: Alerts) -> None:
        self._path = path
        self._alerts = alerts
        self._zone = alerts.timezone or timezone.utc
        self._keys: dict[str, list[str]] = {}
        self._typed: dict[str, TypedStream | None] = {}
        self._moments: Counter[str] = Counter()
        self._dates: dict[str, Callable[[Mapping[str, Any]], Value] | None] = {}
        self._order = sqlite3.connect("")  # a file of its own, which goes with the connection
        self._order.execute("CREATE TABLE lines (at INTEGER, start INTEGER, size INTEGER)")
        self._polls = EveryFiveMinutes()
        self.runs = self._polls
        self.unread = {}
        self.streams = set()
        self._order.executemany("INSERT INTO lines VALUES (?, ?, ?)", self._places())
        first, last = self._order.execute("SELECT min(at), max(at) FROM lines").fetchone()
        self.begin = self._polls.first_from(_moment(first or 0))
        self.end = self._polls.first_from(_moment(last or 0))

    def close(self) -> None:
        """Forget the order of its records."""
        self._order.close()

    def happenings(self) -> Iterator[Happening]:
        """Its records, in the order of their moments."""
        reader = AlertsReader()
        lines = self._order.execute("SELECT at, start, size FROM lines ORDER BY at, start")
        with self._path.open("rb") as file:
            typed: TypedStream | None = None
            for at, start, size in lines:
                line = os.pread(file.fileno(), size, start)
                what = _typed_arrival(typed, line)
                if what is None:
                    message = reader.deserialize_json(line)
                    what = self._what(message["stream"], message["record"])
                    typed = self._typed.get(message["stream"])
                if what is not None:
                    yield Happening(self._polls.first_from(_moment(at)), what)

    def _what(self, stream: str, record: dict[str, Any]) -> Any:
        keys = self._keys.get(stream, [])
        if stream == rate_records.STREAM and self._alerts.rates.type is not None:
            return RateRecord(record, keys)
        deleted = record.get(DELETED_AT) is not None
        entity = self._alerts.entities[stream]
        try:
            arrival = arrive(entity, record, keys, baseline=False, deleted=deleted)
        except UnusableRecord:
            self.malformed += 1
            return None
        self.malformed += bool(arrival.document.problems)
        return arrival

    def assumed(self) -> list[str]:
        """Where the moments come from, and what a file does not have."""
        described = {
            _STAMP: "when the stamp says that it was changed",
            _DATE: "at noon of the date, since there is no stamp",
            _NEITHER: "with the record before, since there is neither stamp nor date",
        }
        came = [
            f"{counted(self._moments[kind], 'record')} came {told}"
            for kind, told in described.items()
            if self._moments[kind]
        ]
        zone = "UTC" if self._alerts.timezone is None else str(self._alerts.timezone)
        zones = f"stamps without a zone are of {zone}"
        return ["; ".join([*came, zones]), *_ASSUMED]

    def _places(self) -> Iterator[tuple[int, int, int]]:
        """Moment, place and size of each record's line."""
        reader, start = AlertsReader(), 0
        latest = 0
        with self._path.open("rb") as lines:
            for line in lines:
                place, start = start, start + len(line)
                if not line.strip():
                    continue
                message = reader.deserialize_json(line)
                if message["type"] == "SCHEMA":
                    reader.assert_line_requires(message, {"stream", "key_properties"})
                    self._keys[message["stream"]] = message["key_properties"] or []
                    self._note_schema(message)
                elif message["type"] == "RECORD":
                    reader.assert_line_requires(message, {"stream", "record"})
                    stream = message["stream"]
                    entity = self._alerts.entities.get(stream)
                    if entity is None:
                        self.unread[stream] = self.unread.get(stream, 0) + 1
                        continue
                    self.streams.add(stream)
                    at, kind = self._told(entity, message["record"])
                    latest = latest if at is None else at
                    self._moments[kind] += 1
                    yield latest, place, len(line)

    def _note_schema(self, message: Mapping[str, Any]) -> None:
        """See whether there is a faster way to read a stream's records."""
        stream = message["stream"]
        entity = self._alerts.entities.get(stream)
        if entity is not None and stream != rate_records.STREAM:
            schema = message.get("schema") or {}
            self._typed[stream] = TypedStream.of(entity, schema, self._keys[stream])

    def _told(self, entity: Entity, record: Mapping[str, Any]) -> tuple[int | None, str]:
        """The moment that a record tells of, in microseconds, and by what."""
        for name in (DELETED_AT, entity.stamp_field):
            moment = self._parsed(record.get(name))
            if moment is not None:
                return (moment - _EPOCH) // _MICROSECOND, _STAMP
        if entity.name not in self._dates:
            field = entity.fields.get("date")
            self._dates[entity.name] = None if field is None else field.reader()
        read = self._dates[entity.name]
        try:
            day = None if read is None else read(record)
        except UnreadableValue:
            day = None
        if isinstance(day, date) and day.year in _YEARS:
            noon = datetime.combine(day, _NOON, self._zone)
            return (noon - _EPOCH) // _MICROSECOND, _DATE
        return None, _NEITHER

    def _parsed(self, stamp: Any) -> datetime | None:
        text = canonical_stamp(stamp) if isinstance(stamp, str) else None
        if text is None or int(text[:4]) not in _YEARS:
            return None
        try:
            moment = datetime.fromisoformat(text[:26])
        except ValueError:
            return None
        return moment.replace(tzinfo=timezone.utc if text.endswith("Z") else self._zone)


def _typed_arrival(typed: TypedStream | None, line: bytes) -> Arrival | None:
    """The record of a line, read the faster way; None if that cannot be done."""
    read = None if typed is None else typed.read(line)
    if typed is None or read is None:
        return None
    return Arrival(
        typed.entity, read.document, identity_of(typed.keys, read.document), baseline=False
    )


def _moment(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
