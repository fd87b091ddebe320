"""The rows that events tell of: alerts, runs, rules, acknowledgements, silences, whole reads.

Each is held against the event that wrote it, while the trail is walked.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.reading import ToldRow, rows_of
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
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.chain import Faults

Body = dict[str, Any]

KEYS = 400
"""Keys asked for in one statement: well below every database's limit of parameters."""

ERASED_DECISION = "{}"
"""What an alert that was erased has in place of its decision."""


class Told(NamedTuple):
    """What an event tells of a row: its key, and values by the names of columns."""

    key: tuple[Any, ...]
    values: Mapping[str, Any]


def _alert_raised(event: ToldRow, body: Body) -> Told:
    values = {
        "rule": body["rule"],
        "epoch": body["epoch"],
        "document_id": body["document"],
        "version": body["version"],
        "title": body["title"],
        "severity": body["severity"],
        "raised_at": event.at,
        "run_id": event.run_id,
    }
    if "decision_hash" in body:
        values |= {"entity": body["entity"], "once_key": body.get("once_key")}
    return Told((event.alert_id,), values)


def _alert_erased(event: ToldRow, _body: Body) -> Told:
    values = {"erased_at": event.at, "salt": None, "reason": "", "decision": ERASED_DECISION}
    return Told((event.alert_id,), values)


def _run_started(event: ToldRow, body: Body) -> Told:
    values = {"command": body["command"], "version": body["version"], "started_at": event.at}
    return Told((event.run_id,), values)


def _run_ended(event: ToldRow, body: Body) -> Told:
    summary = canonical_json(body["summary"])
    return Told(
        (event.run_id,),
        {"ended_at": event.at, "outcome": body["outcome"], "summary": summary},
    )


def _epoch_started(event: ToldRow, body: Body) -> Told:
    values = {
        "condition": body["when"],
        "fingerprint": body["fingerprint"],
        "started_at": event.at,
        "run_id": event.run_id,
    }
    return Told((body["rule"], body["epoch"]), values)


def _acknowledged(event: ToldRow, body: Body) -> Told:
    values = {"at": event.at, "by": body["by"], "how": body["how"], "reason": body.get("reason")}
    return Told((event.alert_id,), values)


def _silence_added(event: ToldRow, body: Body) -> Told:
    matches = {name: body["matches"].get(name) for name in MATCHERS}
    values = {"author": body["author"], "reason": body["reason"], "starts_at": event.at, **matches}
    return Told((body["silence"],), values)


def _read_whole(event: ToldRow, body: Body) -> Told:
    values = {"completed_at": event.at, "run_id": event.run_id, "reason": body["reason"]}
    return Told((body["stream"], canonical_json(body["context"])), values)


_KINDS: dict[str, tuple[sa.Table, Callable[[ToldRow, Body], Told]]] = {
    "alert_raised": (alerts, _alert_raised),
    "alert_erased": (alerts, _alert_erased),
    "run_started": (runs, _run_started),
    "run_ended": (runs, _run_ended),
    "rule_epoch_started": (rule_epochs, _epoch_started),
    "alert_acknowledged": (acknowledgements, _acknowledged),
    "silence_added": (silences, _silence_added),
    "baseline_completed": (complete_reads, _read_whole),
}

_TOLD = len(ToldRow._fields)
_KIND = ToldRow._fields.index("kind")
_LOOKED_AT = {*_KINDS, "silence_ended"}

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
        """Look at the rows that these events, as ToldRow has them, tell of."""
        found: dict[str, list[ToldRow]] = {}
        for row in events:
            kind = row[_KIND]
            if kind in _LOOKED_AT:
                found.setdefault(kind, []).append(ToldRow._make(row[:_TOLD]))
        for kind, some in found.items():
            self._numbers[kind] += len(some)
            if kind in _KINDS:
                for start in range(0, len(some), KEYS):
                    self._compare(kind, some[start : start + KEYS])
            if kind.startswith("silence_"):
                self._note_ends(some)

    def _compare(self, kind: str, events: Sequence[ToldRow]) -> None:
        table, tell = _KINDS[kind]
        told: list[tuple[ToldRow, Body, Told]] = []
        for event in events:
            try:
                body = self._decode(event.body)
                told.append((event, body, tell(event, body)))
            except (msgspec.MsgspecError, LookupError, AttributeError):
                self._blame(event, "does not tell what such an event tells")
        rows = self._rows(table, [one.key for _, _, one in told])
        for event, body, one in told:
            row = rows.get(one.key)
            if row is None:
                named = " ".join(map(str, one.key))
                self._blame(event, f"its row of {table.name}, {named}, is missing")
                continue
            if not one.values.items() <= row.items():
                for name in (name for name, value in one.values.items() if row[name] != value):
                    self._blame(event, f"column {name} of its row of {table.name} was changed")
            if kind == "alert_raised":
                self._hold_decision(event, body, row)

    def _rows(
        self, table: sa.Table, keys: Sequence[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], dict[str, Any]]:
        columns = list(table.primary_key.columns)
        if len(columns) == 1:
            are_wanted = columns[0].in_([key for (key,) in keys])
        else:
            are_wanted = sa.tuple_(*columns).in_(keys)
        return {
            tuple(row[column.name] for column in columns): row
            for part in rows_of(self._connection, table, are_wanted)
            for row in part
        }

    def _hold_decision(self, event: ToldRow, body: Body, row: Mapping[str, Any]) -> None:
        """What the alert says of its document, unless it was erased since."""
        if row["erased_at"] is not None:
            return
        for name in ("reason", "decision"):
            kept = str(row[name])
            is_same = (
                salted_hash(row["salt"] or "", kept) == body[f"{name}_hash"]
                if f"{name}_hash" in body
                else kept == body.get(name)
            )
            if not is_same:
                self._blame(event, f"column {name} of its row of alerts was changed")

    def _note_ends(self, events: Sequence[ToldRow]) -> None:
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
                    what = "column ends_at of its row of silences was changed"
                    self._faults.add(seq, f"event {seq}: {what}")
        for kind, table, condition in _NUMBERS:
            number = self._connection.execute(
                sa.select(sa.func.count()).select_from(table).where(condition)
            ).scalar_one()
            if number > self._numbers[kind]:
                what = f"{number} rows, but {self._numbers[kind]} events ({kind}) that tell of them"
                self._faults.add(None, f"{table.name}: {what}: put in")

    def _blame(self, event: ToldRow, what: str) -> None:
        self._faults.add(event.seq, f"event {event.seq} ({event.kind}): {what}")
