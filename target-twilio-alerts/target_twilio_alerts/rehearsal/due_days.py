"""Which documents a day may turn a rule for, so that a backtest need not decide all each day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger import versions
from target_twilio_alerts.rules.expressions.turning import Turning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.documents import Document
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rules import Rule, Surroundings

_KEPT = 10_000

_due_days = sa.Table(
    "due_days",
    sa.MetaData(),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("rule", sa.String(255), primary_key=True),
    sa.Column("document_id", sa.String(32), primary_key=True),
)


class DueDays:
    """Days that are to come for documents, by rule; kept in the backtest's own ledger.

    Args:
        ledger: The backtest's own.
        rules: The rules.
        until: The last day that is played.
    """

    def __init__(self, ledger: Ledger, rules: Iterable[Rule], until: date | None) -> None:
        self._ledger = ledger
        self._until = until
        self._turning: dict[str, list[tuple[str, Turning]]] = {}
        for rule in rules:
            # A rule that names `previous` waits for a change.
            if rule.condition.uses_clock and not rule.condition.uses_previous:
                turning = Turning(rule.condition)
                self._turning.setdefault(rule.entity.name, []).append((rule.name, turning))
        self._rows: list[dict[str, object]] = []
        self._first: date | None = None
        _due_days.create(ledger.engine)

    def add(self, document: Document, around: Surroundings) -> None:
        """Note the days that a document's version waits for."""
        if self._until is None or document.final:
            return
        for rule, turning in self._turning.get(document.entity, ()):
            for day in turning.days(document.values, around):
                if day <= self._until:
                    self._rows.append({"rule": rule, "day": day, "document_id": document.id})
                    self._first = day if self._first is None else min(self._first, day)
        if len(self._rows) >= _KEPT:
            with self._ledger.write() as connection:
                self._write(connection)

    def first(self) -> date | None:
        """The next day that something waits for; None if nothing does."""
        return self._first

    def forget(self, until: date) -> None:
        """Let go of the days up to that one."""
        with self._ledger.write() as connection:
            self._write(connection)
            connection.execute(sa.delete(_due_days).where(_due_days.c.day <= until))
            self._first = connection.execute(sa.select(sa.func.min(_due_days.c.day))).scalar()

    def due(self, connection: Connection, rule: Rule, today: date) -> Iterator[StoredVersion]:
        """The documents that a rule may have become true for by a day."""
        self._write(connection)
        table = _due_days.c
        ids = connection.execute(
            sa.select(table.document_id)
            .where(table.rule == rule.name, table.day <= today)
            .distinct()
            .order_by(table.document_id)
        ).scalars()
        for chunk in versions.chunks(list(ids)):
            for version in versions.load(connection, chunk).values():
                if not version.final:
                    yield version

    def _write(self, connection: Connection) -> None:
        if self._rows:
            connection.execute(sa.insert(_due_days).prefix_with("OR IGNORE"), self._rows)
            self._rows = []
