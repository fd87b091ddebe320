"""What rules would have told of the past: of a Singer file, or of the versions a ledger has seen.

Each version is decided as on the day on which it came, by the code of every run, over a ledger of
its own; what is there before, and how fast it comes, makes no difference.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.documents import Document, load_values
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.intake.arrivals import Arrival
from target_twilio_alerts.ledger import Ledger, versions
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.runs import Run
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.ledger.tables import document_versions, documents, messages
from target_twilio_alerts.ledger.told import HELD
from target_twilio_alerts.reading import AlertsReader
from target_twilio_alerts.rules import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rules import Alerts

_MICRO = Decimal(1_000_000)
_DAY_OF_STAMP = 10
_FETCHED = 1000


@dataclass(frozen=True)
class Line:
    """What a rule would have told one recipient over one channel.

    Attributes:
        rule: The rule.
        alerts: How many alerts it would have raised, whoever was told.
        recipient: Who; None if nobody was told yet, as with alerts that wait for a digest.
        channel: Over which channel.
        messages: How many messages would have been sent.
        suppressed: How many would have been kept back, the flood brake's among them.
        held: How many the flood brake would have held.
        segments: Of all SMS that would have been sent.
        cost: Predicted, by the prices of the alerts file; None without prices.
        busiest_week: Year and week with the most alerts, such as "2026-W48".
        busiest: How many they were.
    """

    rule: str
    alerts: int
    recipient: str | None
    channel: str | None
    messages: int
    suppressed: int
    held: int
    segments: int
    cost: Decimal | None
    busiest_week: str | None
    busiest: int


class Backtest:
    """One pass over the past.

    Args:
        alerts: The alerts file.
        writer: Writes the texts.
        place: Where its ledger is made.
    """

    def __init__(self, alerts: Alerts, writer: Messages, place: Path) -> None:
        # The rates that the past brings are added to those of the file, and are no one else's.
        rates = Rates(max_age=alerts.rates.max_age, type=alerts.rates.type)
        rates.add(alerts.rates.every())
        self._alerts = replace(alerts, rates=rates)
        self._ledger = Ledger(f"sqlite:///{place / f'{long_id()}.db'}", is_scratch=True)
        self._now = datetime(1970, 1, 1, tzinfo=timezone.utc)
        with self._ledger.write() as connection:
            for stream in self._alerts.entities:
                versions.add_complete_read(
                    connection,
                    stream=stream,
                    context={},
                    at=self._now,
                    run_id="backtest",
                    reason="backtest",
                )
        self._run = Run(id=long_id(), command="backtest", started_at=self._now)
        self._intake = Intake(
            self._ledger,
            self._alerts,
            writer,
            run=self._run,
            on_messages=lambda: None,
            clock=lambda: self._now,
        )
        self.records = 0

    def read_file(self, path: Path) -> None:
        """Decide the records of a Singer file, each on the day of its stamp.

        Raises:
            ProtocolError: The file is no Singer stream.
        """
        reader = AlertsReader()
        keys: dict[str, list[str]] = {}
        entities = self._alerts.entities
        with path.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                message = reader.deserialize_json(line)
                if message["type"] == "SCHEMA":
                    reader.assert_line_requires(message, {"stream", "key_properties"})
                    keys[message["stream"]] = message["key_properties"] or []
                elif message["type"] == "RECORD":
                    reader.assert_line_requires(message, {"stream", "record"})
                    stream, record = message["stream"], message["record"]
                    entity = entities.get(stream)
                    if entity is not None:
                        self._go_to(_day(record.get(entity.stamp_field)))
                        self.records += 1
                    self._intake.add(stream, record, keys.get(stream, []), problem=None)

    def read_ledger(self, source: Ledger, since: datetime) -> None:
        """Decide the versions that a ledger has seen, each at the moment at which it came.

        Those before ``since`` alert nobody, and are what later ones are compared with.
        """
        entities = {entity.name: entity for entity in self._alerts.entities.values()}
        with source.read() as connection:
            for row in connection.execution_options(yield_per=_FETCHED).execute(_all_versions()):
                entity = entities.get(row.entity)
                if entity is None:
                    continue
                self._go_to(row.seen_at)
                values = load_values(row.header, entity)
                document = Document(
                    entity=entity.name,
                    stream=row.stream,
                    key=row.key,
                    id=row.id,
                    values=values,
                    stamp=row.stamp,
                    row_version=row.row_version,
                    content=row.content,
                    problems=(),
                    final=entity.final_statuses is None
                    or values.get("status") in entity.final_statuses,
                )
                is_before = row.baseline or row.seen_at < since
                self._intake.take(Arrival(entity, document, row.key, is_before))
                self.records += 1

    def finish(self) -> list[Line]:
        """Decide what time alone brings at the end, and sum up, by rule and recipient."""
        self._intake.finish()
        self._intake.close()
        return list(self._lines())

    def close(self) -> None:
        """Give the ledger back."""
        self._ledger.close()

    def _go_to(self, moment: datetime | None) -> None:
        """Let time pass to another day: what came before was decided on its own."""
        if moment is None or moment.date() == self._now.date():
            return
        self._intake.commit()
        self._now = moment

    def _lines(self) -> Iterator[Line]:
        with self._ledger.read() as connection:
            raised = connection.execute(
                sa.select(alerts_table.c.rule, alerts_table.c.raised_at),
            ).all()
            told = connection.execute(
                sa.select(
                    alerts_table.c.rule,
                    messages.c.recipient,
                    messages.c.channel,
                    messages.c.state,
                    messages.c.reason,
                    messages.c.segments,
                    messages.c.cost_micros,
                ).join(alerts_table, alerts_table.c.id == messages.c.alert_id),
            ).all()
        weeks: dict[str, Counter[str]] = {}
        for rule, raised_at in raised:
            year, week, _ = raised_at.isocalendar()
            weeks.setdefault(rule, Counter())[f"{year}-W{week:02}"] += 1
        by_whom: dict[tuple[str, str | None, str | None], Counter[str]] = {}
        for row in told:
            tally = by_whom.setdefault((row.rule, row.recipient, row.channel), Counter())
            if row.state == "suppressed":
                tally["suppressed"] += 1
                tally["held"] += (row.reason or "").startswith(HELD)
            else:
                tally["messages"] += 1
                tally["segments"] += row.segments or 0
                tally["cost"] += row.cost_micros or 0
        has_prices = self._alerts.limits.prices is not None
        for rule in self._alerts.rules:
            counted = weeks.get(rule.name, Counter())
            busiest = max(counted.items(), key=lambda item: (item[1], item[0]), default=(None, 0))
            told_by = {key: tally for key, tally in by_whom.items() if key[0] == rule.name}
            for (_, recipient, channel), tally in sorted(
                (told_by or {(rule.name, None, None): Counter()}).items(), key=str
            ):
                yield Line(
                    rule=rule.name,
                    alerts=sum(counted.values()),
                    recipient=recipient,
                    channel=channel,
                    messages=tally["messages"],
                    suppressed=tally["suppressed"],
                    held=tally["held"],
                    segments=tally["segments"],
                    cost=Decimal(tally["cost"]) / _MICRO if has_prices else None,
                    busiest_week=busiest[0],
                    busiest=busiest[1],
                )


def _all_versions() -> sa.CompoundSelect[tuple[object, ...]]:
    """Every version of every document, in the order in which they came."""
    table, old = documents.c, document_versions.c
    newest = sa.select(
        table.id,
        table.stream,
        table.entity,
        table.key,
        table.ordinal,
        table.stamp,
        table.row_version,
        table.content,
        table.header,
        sa.and_(table.baseline, table.ordinal == 1).label("baseline"),
        table.seen_at,
    )
    before = sa.select(
        table.id,
        table.stream,
        table.entity,
        table.key,
        old.ordinal,
        old.stamp,
        old.row_version,
        old.content,
        old.header,
        sa.and_(table.baseline, old.ordinal == 1).label("baseline"),
        old.seen_at,
    ).join(documents, table.id == old.document_id)
    return sa.union_all(newest, before).order_by("seen_at", "id", "ordinal")


def _day(stamp: object) -> datetime | None:
    """The day of a stamp; its clock is unknown, so it is noon in ours."""
    try:
        return datetime.fromisoformat(f"{str(stamp)[:_DAY_OF_STAMP]}T12:00:00+00:00")
    except ValueError:
        return None
