"""What an alert brings with it later: other channels for those who opted out."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger import MessageState, events, opt_outs, outbox, silences
from target_twilio_alerts.ledger.opt_outs import OPTED_OUT_CODES
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import messages
from target_twilio_alerts.notify.compose import Composer, Quiet
from target_twilio_alerts.notify.stored import load_occasion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rules import Alerts

logger = logging.getLogger(__name__)

_LOOKED_BACK = timedelta(days=3)
"""As long as statuses are asked for: an older message is news to nobody."""


class FollowUp:
    """Writes the messages that follow from what has become of others.

    Args:
        ledger: The ledger.
        alerts: Rules and people.
        messages: Writes the texts.
        run: The run at work.
        clock: What time it is.
    """

    def __init__(
        self,
        ledger: Ledger,
        alerts: Alerts,
        messages: Messages,
        *,
        run: Run,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._composer = Composer(messages, alerts)
        self._run = run
        self._clock = clock

    def take(self) -> int:
        """Write what is due now; gives the number of messages."""
        now = self._clock()
        with self._ledger.write() as connection:
            return self._fall_back(connection, now)

    def _fall_back(self, connection: Connection, now: datetime) -> int:
        """Tell those who opted out over the channels that their rules fall back on."""
        rules = {rule.name: rule for rule in self._alerts.rules if rule.fallback}
        table = messages.c
        told = (
            sa.select(table.alert_id, table.recipient)
            .where(
                table.error_code.in_(OPTED_OUT_CODES),
                table.alert_id.is_not(None),
                table.step == 0,
                table.state.in_(
                    [
                        MessageState.REJECTED.value,
                        MessageState.FAILED.value,
                        MessageState.UNDELIVERED.value,
                    ]
                ),
                table.updated_at >= now - _LOOKED_BACK,
            )
            .distinct()
        )
        refused = connection.execute(told).all() if rules else []
        quiet = Quiet(silences.active(connection, at=now), opt_outs.load(connection))
        number = 0
        for alert_id, recipient in refused:
            occasion = load_occasion(connection, self._alerts, alert_id)
            if (
                occasion is None
                or recipient not in self._alerts.recipients
                or self._is_told(connection, alert_id, recipient, occasion.rule.fallback)
            ):
                continue
            composed = self._composer.compose_fallback(occasion, [recipient], at=now, quiet=quiet)
            for message, event in composed:
                outbox.add(connection, message, at=now, run_id=self._run.id)
                events.append(connection, [event], at=now, run_id=self._run.id)
                number += 1
        return number

    @staticmethod
    def _is_told(
        connection: Connection, alert_id: str, recipient: str, channels: tuple[str, ...]
    ) -> bool:
        table = messages.c
        found = connection.execute(
            sa.select(table.id)
            .where(
                table.alert_id == alert_id,
                table.recipient == recipient,
                table.channel.in_(channels),
            )
            .limit(1),
        ).first()
        return found is not None
