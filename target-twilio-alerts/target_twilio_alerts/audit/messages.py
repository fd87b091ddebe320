"""Messages held against their events: what was written, how it went, and what was erased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.courses import COLUMNS, Course, Event
from target_twilio_alerts.audit.reading import EVENTS_OF_MESSAGES, Keyed, ToldRow
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.events import salted_hash
from target_twilio_alerts.ledger.outbox import CLAIM_SECONDS, HASHED
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import (
    audit_events,
    digest_contents,
    digest_items,
    message_contents,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.chain import Faults

_event = audit_events.c
_NUMBER = (
    sa.select(sa.func.count())
    .where(_event.message_id == messages.c.id)
    .correlate(messages)
    .scalar_subquery()
    .label("events")
)
_CONTENTS = ("message_id", "erased_at", "salt", *HASHED)
_ROWS = Keyed(
    sa.select(
        messages.c.id,
        _NUMBER,
        *(messages.c[name] for name in COLUMNS),
        *(message_contents.c[name] for name in _CONTENTS),
    ).join_from(
        messages, message_contents, message_contents.c.message_id == messages.c.id, isouter=True
    ),
    messages.c.id,
)
_DIGESTS = Keyed(
    sa.select(
        digest_contents.c.message_id, digest_contents.c.alert_id, digest_items.c.told_at
    ).join_from(
        digest_contents,
        digest_items,
        digest_items.c.alert_id == digest_contents.c.alert_id,
        isouter=True,
    ),
    digest_contents.c.message_id,
)
_TO_COLUMNS = 2
_TO_CONTENTS = _TO_COLUMNS + len(COLUMNS)

_ID, _AT, _KIND = map(ToldRow._fields.index, ("message_id", "at", "kind"))
_CREATED = "message_created"

HELD = 8000
"""Events that are kept until the ones that follow them have come: some MB."""

_HASHES = [f"{name}_hash" for name in HASHED]
_HASHES_FIRST = {"address_hash", "text_hash"}
"""What events of the first version have hashes of."""

_LONGEST_CLAIM = timedelta(seconds=CLAIM_SECONDS) + timedelta(hours=1)
"""From now, by a clock that may be behind."""

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
        self._events: dict[str, list[Event]] = {}
        self._held = 0
        self._with_contents = 0
        self._in_digests = 0
        self.number = 0

    def take(self, events: Sequence[Event]) -> None:
        """Take the next events of the trail, as SealedRow has them."""
        held = self._events
        for event in events:
            message_id = event[_ID]
            if message_id is not None:
                held.setdefault(message_id, []).append(event)
        self._held += len(events)
        if self._held >= HELD:
            self._look()

    def end(self) -> None:
        """Look at what is left, and for what no event tells of."""
        self._look()
        number = _count(self._connection, messages)
        if number > self.number:
            of_it = sa.exists().where(_event.message_id == messages.c.id, _event.kind == _CREATED)
            for name in self._connection.execute(sa.select(messages.c.id).where(~of_it)).scalars():
                self._faults.add(None, f"message {name}: put in: no event tells of it")
        # Nobody else may take what is claimed, so such a message would be lost quietly.
        until = messages.c.claim_expires_at
        endless = sa.or_(until.is_(None), until > utc_now() + _LONGEST_CLAIM)
        claimed = messages.c.state == MessageState.CLAIMED.value
        for name in self._connection.execute(
            sa.select(messages.c.id).where(claimed, endless)
        ).scalars():
            what = f"column claim_expires_at of message {name} was changed: no claim is so long"
            self._faults.add(None, what)
        for table, told, what in (
            (message_contents, self._with_contents, "messages have"),
            (digest_contents, self._in_digests, "digests tell of"),
        ):
            number = _count(self._connection, table)
            if number > told:
                self._faults.add(None, f"{table.name}: {number} rows, but {what} {told}: put in")

    def look_at(self, ids: Sequence[str]) -> None:
        """Look at some of them only."""
        self._look_at({name: [] for name in ids})

    def _look(self) -> None:
        """Look at messages whose first events are held; events of others were looked at then."""
        held, self._events, self._held = self._events, {}, 0
        self._look_at(
            {name: events for name, events in held.items() if events[0][_KIND] == _CREATED}
        )

    def _look_at(self, events: dict[str, list[Event]]) -> None:
        """Hold messages against events; those that have more than these are read anew."""
        rows = {row[0]: row for row in _ROWS.read(self._connection, list(events))}
        self.number += len(rows)
        late = [name for name, row in rows.items() if len(events[name]) != row[1]]
        for name in late:
            events[name] = []
        for event in EVENTS_OF_MESSAGES.read(self._connection, late):
            events[event[_ID]].append(event)
        for name, told in events.items():
            try:
                course = Course(told)
            except (msgspec.MsgspecError, LookupError, ValueError):
                seq = told[0][0]
                self._faults.add(seq, f"event {seq}: not all of message {name} can be read")
                continue
            row = rows.get(name)
            if course.created is None:
                self._faults.add(None, f"message {name}: put in: no event tells of it")
            elif row is None:
                self._blame(course.created_seq, _CREATED, "its message is missing: deleted")
            else:
                self._hold(row, course)

    def _hold(self, row: tuple[Any, ...], course: Course) -> None:
        name = row[0]
        for column, kept, told, seq in course.differing(row[_TO_COLUMNS:_TO_CONTENTS]):
            if column != "state" or {kept, told} != _WAITING:
                what = f"column {column} of message {name} was changed"
                self._faults.add(seq, f"event {seq}: {what}")
        self._hold_contents(course, row[_TO_CONTENTS:])
        if "alerts" in course.body:
            self._hold_digest(name, course)

    def _hold_contents(self, course: Course, row: tuple[Any, ...]) -> None:
        seq, told = course.created_seq, course.body
        message_id, erased_at, salt, *contents = row
        if message_id is None:
            self._blame(seq, _CREATED, "the address and the text of its message are missing")
            return
        self._with_contents += 1
        if course.erased is not None:
            by, at = course.erased
            if salt or any(contents) or erased_at != at:
                what = "what it erased is there, or was erased at another time"
                self._blame(by, "message_erased", what)
            return
        if erased_at is not None:
            self._blame(seq, _CREATED, "what it tells of was erased, but no event says so")
            return
        is_first = "place" not in told
        for name, hashed, kept in zip(HASHED, _HASHES, contents, strict=True):
            sealed = told.get(hashed)
            if kept is None:
                is_same = sealed is None
            else:
                is_same = sealed is not None and salted_hash(salt, kept) == sealed
            if not is_same and not (is_first and hashed not in _HASHES_FIRST):
                self._blame(
                    seq, _CREATED, f"column {name} of its row of message_contents was changed"
                )

    def _hold_digest(self, message_id: str, course: Course) -> None:
        rows = _DIGESTS.read(self._connection, [message_id])
        told_at = {alert_id: told_at for _, alert_id, told_at in rows}
        self._in_digests += len(told_at)
        seq = course.created_seq
        if sorted(told_at) != sorted(course.body["alerts"]):
            what = "the rows of digest_contents do not have the alerts that it tells"
            self._blame(seq, _CREATED, what)
        at = None if course.created is None else course.created[_AT]
        if any(one != at for one in told_at.values()):
            what = "column told_at of a row of digest_items of its alerts was changed"
            self._blame(seq, _CREATED, what)

    def _blame(self, seq: int, kind: str, what: str) -> None:
        self._faults.add(seq, f"event {seq} ({kind}): {what}")


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
