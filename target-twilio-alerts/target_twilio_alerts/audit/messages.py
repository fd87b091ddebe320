"""Messages held against their events: what was written, how it went, and what was erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.courses import CREATED, Course, Event
from target_twilio_alerts.audit.reading import ToldRow, events_of_messages, rows_of
from target_twilio_alerts.audit.rows import KEYS
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.events import salted_hash
from target_twilio_alerts.ledger.outbox import HASHED
from target_twilio_alerts.ledger.tables import (
    audit_events,
    digest_contents,
    message_contents,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.chain import Faults

Body = dict[str, Any]

_NAMES = (
    *("id", "alert_id", "step", "created_at", "run_id", "tries", "sending_at", "accepted_at"),
    *("request_id", "state", "reason", "not_before", "sid", "status", "error_code"),
    *("error_message", *CREATED),
)
_COLUMNS = [*(messages.c[name] for name in _NAMES), *message_contents.c]
_WITH_CONTENTS = messages.join(
    message_contents, message_contents.c.message_id == messages.c.id, isouter=True
)
_MESSAGE = ToldRow._fields.index("message_id")
_HASHED = [(name, f"{name}_hash") for name in HASHED]
_HASHED_FIRST = [(name, hashed) for name, hashed in _HASHED if name in {"address", "text"}]
"""What events of the first version have hashes of."""

_WAITING = {MessageState.PENDING.value, MessageState.CLAIMED.value}
"""No event tells them apart: a claim is no news."""


class Messages:
    """Holds messages, and their erasable contents, against their events.

    Args:
        connection: To the ledger.
        faults: Takes what differs.
    """

    def __init__(self, connection: Connection, faults: Faults) -> None:
        self._connection = connection
        self._faults = faults
        self._in_digests = 0
        self.number = 0

    def look(self) -> None:
        """Look at all of them."""
        for rows in rows_of(self._connection, _WITH_CONTENTS, columns=_COLUMNS):
            self.number += len(rows)
            for start in range(0, len(rows), KEYS):
                self._look_at({row["id"]: row for row in rows[start : start + KEYS]})
        self._look_for_lost_ones()
        number = _count(self._connection, digest_contents)
        if number > self._in_digests:
            what = f"{number} rows, but digests tell of {self._in_digests}: put in"
            self._faults.add(None, f"digest_contents: {what}")

    def look_at(self, ids: Sequence[str]) -> None:
        """Look at some of them only."""
        wanted = messages.c.id.in_(ids)
        for part in rows_of(self._connection, _WITH_CONTENTS, wanted, columns=_COLUMNS):
            self._look_at({row["id"]: row for row in part})

    def _look_at(self, rows: dict[str, Body]) -> None:
        events: dict[str, list[Event]] = {name: [] for name in rows}
        for part in events_of_messages(self._connection, list(rows)):
            for event in part:
                events[event[_MESSAGE]].append(event)
        for name, row in rows.items():
            try:
                course = Course(events[name])
            except (msgspec.MsgspecError, LookupError, ValueError):
                seq = events[name][0][0]
                self._faults.add(seq, f"event {seq}: not all of message {name} can be read")
                continue
            if course.created is None:
                self._faults.add(None, f"message {name}: put in: no event tells of it")
                continue
            for column, seq in course.differing(row):
                if column != "state" or {row[column], course.now[column]} != _WAITING:
                    what = f"column {column} of message {name} was changed"
                    self._faults.add(seq, f"event {seq}: {what}")
            self._hold_contents(row, course, course.body)
            if "alerts" in course.body:
                self._hold_digest(name, course)

    def _hold_contents(self, row: Body, course: Course, told: Body) -> None:
        seq, kind = course.created_seq, "message_created"
        if row["message_id"] is None:
            self._blame(seq, kind, "the address and the text of its message are missing")
            return
        if course.erased is not None:
            is_blank = not any(row[name] for name in (*HASHED, "salt"))
            if not is_blank or row["erased_at"] != course.erased.at:
                what = "what it erased is there, or was erased at another time"
                self._blame(course.erased.seq, course.erased.kind, what)
            return
        if row["erased_at"] is not None:
            self._blame(seq, kind, "what it tells of was erased, but no event says so")
            return
        salt = row["salt"]
        for name, hashed in _HASHED if "place" in told else _HASHED_FIRST:
            kept, sealed = row[name], told.get(hashed)
            if kept is None and sealed is None:
                continue
            if kept is None or salted_hash(salt, kept) != sealed:
                self._blame(seq, kind, f"column {name} of its row of message_contents was changed")

    def _hold_digest(self, message_id: str, course: Course) -> None:
        table = digest_contents.c
        query = sa.select(table.alert_id).where(table.message_id == message_id)
        found = list(self._connection.execute(query).scalars())
        self._in_digests += len(found)
        if sorted(found) != sorted(course.body["alerts"]):
            what = "the rows of digest_contents do not have the alerts that it tells"
            self._blame(course.created_seq, "message_created", what)

    def _look_for_lost_ones(self) -> None:
        """Messages that events tell of, and that are not there."""
        event = audit_events.c
        is_there = sa.exists().where(messages.c.id == event.message_id)
        lost = self._connection.execute(
            sa.select(sa.func.min(event.seq)).where(event.kind == "message_created", ~is_there)
        ).scalar()
        if lost is not None:
            self._blame(lost, "message_created", "its message is missing: deleted")

    def _blame(self, seq: int, kind: str, what: str) -> None:
        self._faults.add(seq, f"event {seq} ({kind}): {what}")


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
