"""The rows that events tell of: alerts, what waits, runs, rules, silences, whole reads and more.

Each is held against the event that wrote it, while the trail is walked.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.reading import Keyed, SealedRow, rows_of
from target_twilio_alerts.audit.waiting import STEP, Waiting
from target_twilio_alerts.ledger.events import canonical_json, salted_hash
from target_twilio_alerts.ledger.runs import RUNNING
from target_twilio_alerts.ledger.silences import MATCHERS
from target_twilio_alerts.ledger.tables import (
    acknowledgements,
    alerts,
    complete_reads,
    digest_items,
    escalations,
    rule_epochs,
    runs,
    silences,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
    values: tuple[Any, ...] = (body["command"], body["version"], event.at)
    if "host" in body:
        values += (body["host"], body["pid"])
    return event.run_id, values


def _run_ended(event: SealedRow, body: Body) -> Told:
    return event.run_id, (event.at, body["outcome"], canonical_json(body["summary"]))


def _epoch_started(event: SealedRow, body: Body) -> Told:
    values: tuple[Any, ...] = (body["when"], body["fingerprint"], event.at, event.run_id)
    if "decided_by" in body:
        values += (msgspec.json.decode(body["decided_by"])["entity"],)
    return (body["rule"], body["epoch"]), values


def _digest_dropped(event: SealedRow, _body: Body) -> Told:
    return event.alert_id, (event.at,)


def _step_settled(event: SealedRow, body: Body) -> Told:
    state = event.kind.removeprefix("escalation_")
    values = (body["due_at"], state, body.get("reason"), event.at)
    return (event.alert_id, body["step"]), values


def _acknowledged(event: SealedRow, body: Body) -> Told:
    return event.alert_id, (event.at, body["by"], body["how"], body.get("reason"))


def _silence_added(event: SealedRow, body: Body) -> Told:
    matches = body["matches"]
    values = (body["author"], body["reason"], event.at, *map(matches.get, MATCHERS))
    return body["silence"], values


def _read_whole(event: SealedRow, body: Body) -> Told:
    key = body["stream"], canonical_json(body["context"])
    return key, (event.at, event.run_id, body["reason"])


class Kind:
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
        self._keyed = Keyed(sa.select(*read), next(iter(keys)))

    def rows(self, connection: Connection, keys: Sequence[Any]) -> dict[Any, tuple[Any, ...]]:
        """Rows by their keys: values of the names, and of what is looked at otherwise.

        Of a key with several parts, all rows that have the first one.
        """
        width = self._width
        if width == 1:
            return {row[0]: row[1:] for row in self._keyed.read(connection, keys)}
        firsts = list(dict.fromkeys(first for first, *_ in keys))
        return {row[:width]: row[width:] for row in self._keyed.read(connection, firsts)}


_KINDS = {
    "alert_raised": Kind(
        alerts,
        _alert_raised,
        (
            *("rule", "epoch", "document_id", "version", "title", "severity"),
            *("raised_at", "run_id", "entity", "once_key"),
        ),
        more=("erased_at", "salt", "reason", "decision"),
    ),
    "alert_erased": Kind(alerts, _alert_erased, ("erased_at", "salt", "reason", "decision")),
    "run_started": Kind(runs, _run_started, ("command", "version", "started_at", "host", "pid")),
    "run_ended": Kind(runs, _run_ended, ("ended_at", "outcome", "summary")),
    "rule_epoch_started": Kind(
        rule_epochs, _epoch_started, ("condition", "fingerprint", "started_at", "run_id", "entity")
    ),
    "alert_acknowledged": Kind(acknowledgements, _acknowledged, ("at", "by", "how", "reason")),
    "silence_added": Kind(silences, _silence_added, ("author", "reason", "starts_at", *MATCHERS)),
    "baseline_completed": Kind(complete_reads, _read_whole, ("completed_at", "run_id", "reason")),
    "digest_dropped": Kind(digest_items, _digest_dropped, ("told_at",)),
    "escalation_taken": Kind(escalations, _step_settled, STEP),
    "escalation_ended": Kind(escalations, _step_settled, STEP),
}

_RAISED = _KINDS["alert_raised"]
_UNREADABLE = "does not tell what such an event tells"
_KIND = SealedRow._fields.index("kind")
_LOOKED_AT = (*_KINDS, "silence_ended", "rule_decided", "message_released")

_NUMBERS: tuple[tuple[str, sa.Table, sa.ColumnElement[bool]], ...] = (
    ("alert_raised", alerts, sa.true()),
    ("alert_erased", alerts, alerts.c.erased_at.is_not(None)),
    ("run_started", runs, sa.true()),
    (
        "run_ended",
        runs,
        sa.or_(
            runs.c.ended_at.is_not(None),
            runs.c.summary.is_not(None),
            runs.c.outcome != RUNNING,
        ),
    ),
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
        self._decided: dict[tuple[Any, Any], tuple[int, Any]] = {}
        self._telling: set[str] = set()
        self._waiting = Waiting(connection, faults)
        self._notes: dict[str, Callable[[list[tuple[SealedRow, Body]]], None]] = {
            "run_started": self._note_started,
            "silence_added": self._note_ends,
            "silence_ended": self._note_ends,
            "rule_decided": self._note_decided,
            "alert_raised": self._waiting.raised,
            "alert_acknowledged": self._waiting.acknowledged,
            "message_released": self._waiting.released,
            "digest_dropped": self._waiting.dropped,
            "escalation_taken": self._note_settled,
            "escalation_ended": self._note_settled,
        }

    def take(self, events: Sequence[tuple[Any, ...]]) -> None:
        """Look at the rows that these events, as SealedRow has them, tell of."""
        kinds = {event[_KIND] for event in events}
        for kind in filter(kinds.__contains__, _LOOKED_AT):
            some = [SealedRow._make(event) for event in events if event[_KIND] == kind]
            self._numbers[kind] += len(some)
            told = self._compare(_KINDS[kind], some) if kind in _KINDS else self._read(some)
            note = self._notes.get(kind)
            if note is not None:
                note(told)

    def _read(self, events: Iterable[SealedRow]) -> list[tuple[SealedRow, Body]]:
        told = []
        for event in events:
            try:
                told.append((event, self._decode(event.body)))
            except msgspec.MsgspecError:
                self._blame(event, _UNREADABLE)
        return told

    def _compare(self, kind: Kind, events: Iterable[SealedRow]) -> list[tuple[SealedRow, Body]]:
        """Hold rows against events of a kind; gives those that can be read, with their bodies."""
        tell, decode = kind.tell, self._decode
        told: list[tuple[SealedRow, Body]] = []
        wanted: list[Told] = []
        for event in events:
            try:
                body = decode(event.body)
                wanted.append(tell(event, body))
                told.append((event, body))
            except (msgspec.MsgspecError, LookupError, AttributeError):
                self._blame(event, _UNREADABLE)
        rows = kind.rows(self._connection, [key for key, _ in wanted])
        is_raised = kind is _RAISED
        for (event, body), (key, values) in zip(told, wanted, strict=True):
            row = rows.get(key)
            if row is None:
                named = " ".join(map(str, key)) if isinstance(key, tuple) else key
                self._blame(event, f"its row of {kind.table.name}, {named}, is missing")
                continue
            if row[: len(values)] != values:
                for name, kept, value in zip(kind.names, row, values, strict=False):
                    if kept != value:
                        self._blame(event, _changed(name, kind.table))
            if is_raised:
                self._hold_decision(event, body, row[-4:])
        return told

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

    def _note_started(self, told: Iterable[tuple[SealedRow, Body]]) -> None:
        self._telling.update(event.run_id for event, body in told if "host" in body)

    def _note_ends(self, told: Iterable[tuple[SealedRow, Body]]) -> None:
        for event, body in told:
            try:
                ends_at = body["until"] if event.kind == "silence_added" else event.at
                self._ends[body["silence"]] = event.seq, ends_at
            except LookupError:
                self._blame(event, _UNREADABLE)

    def _note_decided(self, told: Iterable[tuple[SealedRow, Body]]) -> None:
        for event, body in told:
            try:
                self._decided[body["rule"], body["epoch"]] = event.seq, body["day"]
            except LookupError:
                self._blame(event, _UNREADABLE)

    def _note_settled(self, told: Sequence[tuple[SealedRow, Body]]) -> None:
        self._waiting.settled(len(told))

    def settle(self) -> None:
        """Tell of rows that no later event has put right: all events of their alerts were taken."""
        self._waiting.settle()

    def end(self) -> None:
        """Look for rows that no event tells of."""
        self._waiting.end(self._telling)
        self.settle()
        for part in rows_of(self._connection, silences):
            for row in part:
                seq, ends_at = self._ends.get(row["id"], (0, None))
                if seq and row["ends_at"] != ends_at:
                    self._faults.add(seq, f"event {seq}: {_changed('ends_at', silences)}")
        for part in rows_of(self._connection, rule_epochs):
            for row in part:
                self._hold_decided(row)
        for kind, table, condition in _NUMBERS:
            number = self._connection.execute(
                sa.select(sa.func.count()).select_from(table).where(condition)
            ).scalar_one()
            if number > self._numbers[kind]:
                what = f"{number} rows, but {self._numbers[kind]} events ({kind}) that tell of them"
                self._faults.add(None, f"{table.name}: {what}: put in")

    def _hold_decided(self, row: Mapping[str, Any]) -> None:
        """Up to which day a rule was decided: first versions did not tell."""
        seq, told = self._decided.get((row["rule"], row["epoch"]), (None, None))
        day = row["decided_on"]
        is_told = seq is not None or row["run_id"] in self._telling
        if is_told and (day if day is None else str(day)) != told:
            at = "" if seq is None else f"event {seq}: "
            what = f"column decided_on of rule {row['rule']}, epoch {row['epoch']}, was changed"
            self._faults.add(seq, f"{at}{what}")

    def _blame(self, event: SealedRow, what: str) -> None:
        self._faults.add(event.seq, f"event {event.seq} ({event.kind}): {what}")


def _changed(column: str, table: sa.Table) -> str:
    return f"column {column} of its row of {table.name} was changed"
