"""The rows that events tell of: alerts, runs, rules, acknowledgements, silences, whole reads.

Each is held against the event that wrote it, while the trail is walked.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.reading import Keyed, SealedRow, rows_of
from target_twilio_alerts.ledger.events import canonical_json, salted_hash
from target_twilio_alerts.ledger.silences import MATCHERS
from target_twilio_alerts.ledger.tables import (
    acknowledgements,
    alerts,
    complete_reads,
    rule_epochs,
    runs,
    silences,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.chain import Faults

    Told = tuple[Any, tuple[Any, ...]]
    """What an event tells of a row: its key, and values of columns."""

Body = dict[str, Any]

ERASED_DECISION = "{}"
"""What an alert that was erased has in place of its decision."""


def _alert_raised(event: SealedRow, body: Body) -> Told:
    values: tuple[Any, ...] = (
        body["rule"],
        body["epoch"],
        body["document"],
        body["version"],
        body["title"],
        body["severity"],
        event.at,
        event.run_id,
    )
    if "decision_hash" in body:
        values += (body["entity"], body.get("once_key"))
    return event.alert_id, values


def _alert_erased(event: SealedRow, _body: Body) -> Told:
    return event.alert_id, (event.at, None, "", ERASED_DECISION)


def _run_started(event: SealedRow, body: Body) -> Told:
    return event.run_id, (body["command"], body["version"], event.at)


def _run_ended(event: SealedRow, body: Body) -> Told:
    return event.run_id, (event.at, body["outcome"], canonical_json(body["summary"]))


def _epoch_started(event: SealedRow, body: Body) -> Told:
    values = (body["when"], body["fingerprint"], event.at, event.run_id)
    return (body["rule"], body["epoch"]), values


def _acknowledged(event: SealedRow, body: Body) -> Told:
    return event.alert_id, (event.at, body["by"], body["how"], body.get("reason"))


def _silence_added(event: SealedRow, body: Body) -> Told:
    matches = body["matches"]
    values = (body["author"], body["reason"], event.at, *map(matches.get, MATCHERS))
    return body["silence"], values


def _read_whole(event: SealedRow, body: Body) -> Told:
    key = body["stream"], canonical_json(body["context"])
    return key, (event.at, event.run_id, body["reason"])


class _Kind:
    """How rows of a table are held against events of a kind.

    Args:
        table: The table.
        tell: What an event tells.
        names: The columns whose values it tells, in its order.
        more: Columns that are looked at otherwise.
    """

    def __init__(
        self,
        table: sa.Table,
        tell: Callable[[SealedRow, Body], Told],
        names: Sequence[str],
        more: Sequence[str] = (),
    ) -> None:
        self.table = table
        self.tell = tell
        self.names = names
        keys = table.primary_key.columns
        self._width = len(keys)
        read = [*keys, *(table.c[name] for name in (*names, *more))]
        self._keyed = Keyed(sa.select(*read), *keys)

    def rows(self, connection: Connection, keys: Sequence[Any]) -> dict[Any, tuple[Any, ...]]:
        """Rows by their keys: values of the names, and of what is looked at otherwise."""
        width = self._width
        rows = self._keyed.read(connection, keys)
        if width == 1:
            return {row[0]: row[1:] for row in rows}
        return {row[:width]: row[width:] for row in rows}


_KINDS = {
    "alert_raised": _Kind(
        alerts,
        _alert_raised,
        (
            *("rule", "epoch", "document_id", "version", "title", "severity"),
            *("raised_at", "run_id", "entity", "once_key"),
        ),
        more=("erased_at", "salt", "reason", "decision"),
    ),
    "alert_erased": _Kind(alerts, _alert_erased, ("erased_at", "salt", "reason", "decision")),
    "run_started": _Kind(runs, _run_started, ("command", "version", "started_at")),
    "run_ended": _Kind(runs, _run_ended, ("ended_at", "outcome", "summary")),
    "rule_epoch_started": _Kind(
        rule_epochs, _epoch_started, ("condition", "fingerprint", "started_at", "run_id")
    ),
    "alert_acknowledged": _Kind(acknowledgements, _acknowledged, ("at", "by", "how", "reason")),
    "silence_added": _Kind(silences, _silence_added, ("author", "reason", "starts_at", *MATCHERS)),
    "baseline_completed": _Kind(complete_reads, _read_whole, ("completed_at", "run_id", "reason")),
}

_KIND = SealedRow._fields.index("kind")
_LOOKED_AT = (*_KINDS, "silence_ended")

_NUMBERS: tuple[tuple[str, sa.Table, sa.ColumnElement[bool]], ...] = (
    ("alert_raised", alerts, sa.true()),
    ("alert_erased", alerts, alerts.c.erased_at.is_not(None)),
    ("run_started", runs, sa.true()),
    ("run_ended", runs, sa.or_(runs.c.ended_at.is_not(None), runs.c.summary.is_not(None))),
    ("rule_epoch_started", rule_epochs, sa.true()),
    ("alert_acknowledged", acknowledgements, sa.true()),
    ("silence_added", silences, sa.true()),
    ("baseline_completed", complete_reads, sa.true()),
)
"""As many rows as events of a kind, or somebody has put one in."""


class Rows:
    """Holds rows against their events.

    Args:
        connection: To the ledger.
        faults: Takes what differs.
    """

    def __init__(self, connection: Connection, faults: Faults) -> None:
        self._connection = connection
        self._faults = faults
        self._decode = msgspec.json.Decoder(Body).decode
        self._numbers: Counter[str] = Counter()
        self._ends: dict[str, tuple[int, str]] = {}

    def take(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Look at the rows that these events, as SealedRow has them, tell of."""
        kinds = {event[_KIND] for event in events}
        for kind in filter(kinds.__contains__, _LOOKED_AT):
            some = [SealedRow._make(event) for event in events if event[_KIND] == kind]
            self._numbers[kind] += len(some)
            if kind in _KINDS:
                self._compare(_KINDS[kind], some)
            if kind.startswith("silence_"):
                self._note_ends(some)

    def _compare(self, kind: _Kind, events: Sequence[SealedRow]) -> None:
        tell, decode = kind.tell, self._decode
        told: list[tuple[SealedRow, Body, Any, tuple[Any, ...]]] = []
        for event in events:
            try:
                body = decode(event.body)
                told.append((event, body, *tell(event, body)))
            except (msgspec.MsgspecError, LookupError, AttributeError):
                self._blame(event, "does not tell what such an event tells")
        rows = kind.rows(self._connection, [key for _, _, key, _ in told])
        for event, body, key, values in told:
            row = rows.get(key)
            if row is None:
                named = " ".join(map(str, key)) if isinstance(key, tuple) else key
                self._blame(event, f"its row of {kind.table.name}, {named}, is missing")
                continue
            if row[: len(values)] != values:
                for name, kept, value in zip(kind.names, row, values, strict=False):
                    if kept != value:
                        self._blame(event, _changed(name, kind.table))
            if kind.table is alerts and event.kind == "alert_raised":
                self._hold_decision(event, body, row[-4:])

    def _hold_decision(self, event: SealedRow, body: Body, row: tuple[Any, ...]) -> None:
        """What the alert says of its document, unless it was erased since."""
        erased_at, salt, reason, decision = row
        if erased_at is not None:
            return
        for name, hashed, kept in (
            ("reason", "reason_hash", reason),
            ("decision", "decision_hash", decision),
        ):
            sealed = body.get(hashed)
            if sealed is None:
                is_same = kept == body.get(name)
            else:
                is_same = salted_hash(salt or "", str(kept)) == sealed
            if not is_same:
                self._blame(event, _changed(name, alerts))

    def _note_ends(self, events: Sequence[SealedRow]) -> None:
        for event in events:
            try:
                body = self._decode(event.body)
                ends_at = body["until"] if event.kind == "silence_added" else event.at
                self._ends[body["silence"]] = event.seq, ends_at
            except (msgspec.MsgspecError, LookupError):
                self._blame(event, "does not tell what such an event tells")

    def end(self) -> None:
        """Look for rows that no event tells of."""
        for part in rows_of(self._connection, silences):
            for row in part:
                seq, ends_at = self._ends.get(row["id"], (0, None))
                if seq and row["ends_at"] != ends_at:
                    self._faults.add(seq, f"event {seq}: {_changed('ends_at', silences)}")
        for kind, table, condition in _NUMBERS:
            number = self._connection.execute(
                sa.select(sa.func.count()).select_from(table).where(condition)
            ).scalar_one()
            if number > self._numbers[kind]:
                what = f"{number} rows, but {self._numbers[kind]} events ({kind}) that tell of them"
                self._faults.add(None, f"{table.name}: {what}: put in")

    def _blame(self, event: SealedRow, what: str) -> None:
        self._faults.add(event.seq, f"event {event.seq} ({event.kind}): {what}")


def _changed(column: str, table: sa.Table) -> str:
    return f"column {column} of its row of {table.name} was changed"
