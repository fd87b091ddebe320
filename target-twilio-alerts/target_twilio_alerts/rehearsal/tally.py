"""Sums up what a backtest would have told: by week, rule, recipient and channel."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.intake.arrivals import UNDECIDED
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.tables import alerts, digest_contents, messages
from target_twilio_alerts.ledger.told import HELD
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, tzinfo

    from target_twilio_alerts.ledger import Ledger

_MICRO = Decimal(1_000_000)
_FETCHED = 1000

ALERT, ESCALATION, IN_DIGEST = "alert", "escalation", "in digest"
DIGEST, BRAKE = "digest", "flood brake"

COUNTS = ("alerts", "messages", "suppressed", "held", "segments", "unpriced")


@dataclass(frozen=True)
class Row:
    """What one recipient would have been told over one channel in a week.

    Attributes:
        week: Year and week, such as "2026-W48", of the zone of the alerts file.
        kind: ALERT, ESCALATION or UNDECIDED; IN_DIGEST for alerts whose message is a DIGEST;
            BRAKE for summaries of what was held.
        rule: The rule; None for messages that belong to none: digests and summaries.
        recipient: Who.
        channel: Over which channel.
        alerts: Alerts that they are told of, or would be if it were not kept back.
        messages: Messages that would have been sent.
        suppressed: Messages that would have been kept back, the flood brake's among them.
        held: Messages that the flood brake would have held.
        segments: Of all SMS that would have been sent.
        cost: Predicted; None without prices.
        unpriced: Messages for which the prices have none.
    """

    week: str
    kind: str
    rule: str | None
    recipient: str
    channel: str
    alerts: int
    messages: int
    suppressed: int
    held: int
    segments: int
    cost: Decimal | None
    unpriced: int

    def as_json(self) -> dict[str, Any]:
        """The same for a program; money is text, so that it stays exact."""
        return {**asdict(self), "cost": shown(self.cost)}


def shown(cost: Decimal | None) -> str | None:
    """Money as text without needless zeros."""
    if cost is None:
        return None
    text = f"{cost:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def micros_as_text(micros: int | None) -> str | None:
    """Millionths of a currency as its money, in text."""
    return None if micros is None else shown(Decimal(micros) / _MICRO)


class Tally:
    """What a backtest's ledger has.

    Args:
        ledger: The ledger.
        zone: Where weeks begin.
        has_prices: Whether messages have prices.
    """

    def __init__(self, ledger: Ledger, zone: tzinfo, *, has_prices: bool) -> None:
        self._ledger = ledger
        self._zone = zone
        self._has_prices = has_prices

    def weeks(self) -> dict[str, Counter[str]]:
        """How many alerts each rule would have raised, by week; without what it cannot decide."""
        query = sa.select(alerts.c.rule, alerts.c.raised_at).where(
            alerts.c.version.not_like(f"{UNDECIDED}|%")
        )
        found: dict[str, Counter[str]] = {}
        for rule, raised_at in self._stream(query):
            found.setdefault(rule, Counter())[self._week(raised_at)] += 1
        return found

    def rows(self) -> list[Row]:
        """By week, then by rule."""
        counted: dict[tuple[str, str, str, str, str], Counter[str]] = {}
        for kind, rule, row in self._messages():
            moment = row.not_before or row.created_at
            key = (self._week(moment), rule or "", kind, row.recipient, row.channel)
            tally = counted.setdefault(key, Counter())
            tally["alerts"] += row.place == 1 and kind in {ALERT, IN_DIGEST}
            if kind == IN_DIGEST:
                continue
            if row.state == MessageState.SUPPRESSED.value:
                tally["suppressed"] += 1
                tally["held"] += (row.reason or "").startswith(HELD)
                continue
            tally["messages"] += 1
            tally["segments"] += row.segments or 0
            tally["cost"] += row.cost_micros or 0
            tally["unpriced"] += self._has_prices and row.cost_micros is None
        return [
            Row(
                week=week,
                kind=kind,
                rule=rule or None,
                recipient=recipient,
                channel=channel,
                cost=Decimal(tally["cost"]) / _MICRO if self._has_prices else None,
                **{name: tally[name] for name in COUNTS},
            )
            for (week, rule, kind, recipient, channel), tally in sorted(counted.items())
        ]

    def _messages(self) -> Iterator[tuple[str, str | None, Any]]:
        """Each message with its kind and rule; alerts of a digest once more, without it."""
        of_alert = sa.select(messages, alerts.c.rule, alerts.c.version).join(
            alerts, alerts.c.id == messages.c.alert_id
        )
        for row in self._stream(of_alert):
            is_undecided = row.version.startswith(f"{UNDECIDED}|")
            kind = UNDECIDED if is_undecided else ESCALATION if row.step else ALERT
            yield kind, row.rule, row
        for row in self._stream(sa.select(messages).where(messages.c.alert_id.is_(None))):
            yield (BRAKE if row.template == BRAKE_SUMMARY else DIGEST), None, row
        in_digest = (
            sa.select(messages, alerts.c.rule)
            .join(digest_contents, digest_contents.c.message_id == messages.c.id)
            .join(alerts, alerts.c.id == digest_contents.c.alert_id)
        )
        for row in self._stream(in_digest):
            yield IN_DIGEST, row.rule, row

    def _stream(self, query: sa.Select[Any]) -> Iterator[Any]:
        with self._ledger.read() as connection:
            yield from connection.execution_options(yield_per=_FETCHED).execute(query)

    def _week(self, moment: datetime) -> str:
        year, week, _ = moment.astimezone(self._zone).isocalendar()
        return f"{year}-W{week:02}"


def total(rows: Iterable[Row]) -> dict[str, Any]:
    """Rows added up; alerts are not, since one may be told to several."""
    counts: Counter[str] = Counter()
    cost: Decimal | None = None
    for row in rows:
        counts.update({name: getattr(row, name) for name in COUNTS})
        if row.cost is not None:
            cost = row.cost + (cost or 0)
    return {**{name: counts[name] for name in COUNTS if name != "alerts"}, "cost": cost}
