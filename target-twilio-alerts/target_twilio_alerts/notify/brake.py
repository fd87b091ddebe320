"""The flood brake: above its limits messages are held, and an operator may release them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import MessageState, told

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.rules.model import Limits

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_MICRO = Decimal(1_000_000)


class Brake:
    """Counts the messages of a run, and of the hour and the day before, against the limits.

    Args:
        limits: The limits.
        run_id: The run at work.
    """

    def __init__(self, limits: Limits, *, run_id: str) -> None:
        self._limits = limits
        self._run_id = run_id
        self._hour: Counter[tuple[str, str]] = Counter()
        self._run = 0
        self._cost = 0

    def look(self, connection: Connection, *, at: datetime) -> None:
        """Read what has been told lately; to be called in each transaction before `apply`."""
        limits = self._limits
        recent = told.count_since(connection, since=at - HOUR)
        self._hour = Counter(recent)
        self._run = told.count_of_run(connection, self._run_id) if limits.per_run else 0
        if limits.cost_per_day is not None:
            self._cost = told.cost_since(connection, since=at - DAY)

    def apply(self, message: NewMessage, rule: str) -> NewMessage:
        """The message with its predicted cost, as suppressed if it is above a limit."""
        message = priced(message, self._limits)
        if message.state is not MessageState.PENDING:
            return message
        why = self._above(message, rule)
        if why is not None:
            return replace(message, state=MessageState.SUPPRESSED, reason=f"{told.HELD}: {why}")
        self._run += 1
        self._hour[rule, message.recipient] += 1
        self._cost += message.cost_micros or 0
        return message

    def _above(self, message: NewMessage, rule: str) -> str | None:
        """The limit that one more message would pass, in words; None if there is none."""
        limits = self._limits
        of_rule = sum(number for (name, _), number in self._hour.items() if name == rule)
        to_them = sum(
            number for (_, name), number in self._hour.items() if name == message.recipient
        )
        counted = (
            (limits.per_run, self._run, "in a run"),
            (limits.per_hour, sum(self._hour.values()), "in an hour"),
            (limits.per_rule, of_rule, "of a rule in an hour"),
            (limits.per_recipient, to_them, "to a recipient in an hour"),
        )
        for limit, number, what in counted:
            if limit is not None and number >= limit:
                return f"more than {limit} {what}"
        if limits.cost_per_day is not None:
            cost = Decimal(self._cost + (message.cost_micros or 0)) / _MICRO
            if cost > limits.cost_per_day:
                return f"more than {limits.cost_per_day} in a day"
        return None


def priced(message: NewMessage, limits: Limits) -> NewMessage:
    """The message with its predicted cost, if there are prices and they have one for it."""
    if limits.prices is None:
        return message
    cost = limits.prices.of(message.channel, message.address, message.segments)
    micros = None if cost is None else int((cost * _MICRO).to_integral_value())
    return replace(message, cost_micros=micros)
