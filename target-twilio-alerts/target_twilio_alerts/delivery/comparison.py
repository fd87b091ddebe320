"""What Twilio lists as sent, held against what the ledger says was handed over in a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.delivery.channels.account import TwilioAccount
from target_twilio_alerts.delivery.channels.sent_list import LISTED_CHANNELS, sent_to
from target_twilio_alerts.delivery.status import next_state
from target_twilio_alerts.ledger import MessageState
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import (
    audit_events,
    iso_utc,
    message_contents,
    messages,
    runs,
)
from target_twilio_alerts.messages.masking import mask_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import Channel
    from target_twilio_alerts.delivery.channels.sent_list import Listed

_MARGIN = timedelta(minutes=2)
"""Between our clock and Twilio's."""

_ENDS = {MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.FAILED, MessageState.READ}


class Comparison:
    """A run's hand-overs beside Twilio's list.

    Attributes:
        accepted: How many messages the ledger says Twilio took in the run.
        listed: How many of them Twilio lists.
        not_compared: How many there is nothing to compare with: emails, and erased addresses.
        differences: What differs, a line each.
    """

    def __init__(
        self, connection: Connection, channels: Mapping[str, Channel], run_id: str
    ) -> None:
        self._connection = connection
        self._channels = channels
        run = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
        self._started_at = run.started_at
        self._until = (run.ended_at or utc_now()) + _MARGIN
        self.accepted = 0
        self.listed = 0
        self.not_compared = 0
        self.differences: list[str] = []
        by_address: dict[tuple[str, str], list[sa.Row[Any]]] = {}
        for row in self._handed_over(run_id):
            is_listed = row.channel in LISTED_CHANNELS and row.address
            if is_listed and isinstance(channels.get(row.channel), TwilioAccount):
                by_address.setdefault((row.channel, row.address), []).append(row)
            else:
                self.not_compared += 1
        for (channel, address), rows in by_address.items():
            self._compare(channel, address, rows)

    def _handed_over(self, run_id: str) -> Iterator[sa.Row[Any]]:
        """Messages of which the run recorded an answer, or that there was none."""
        event = audit_events.c
        kinds = ("message_accepted", "message_unknown")
        answered = sa.select(event.message_id).where(event.run_id == run_id, event.kind.in_(kinds))
        query = (
            sa.select(
                messages.c.id,
                messages.c.channel,
                messages.c.sid,
                messages.c.state,
                messages.c.sending_at,
                message_contents.c.address,
            )
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .where(messages.c.id.in_(answered))
            .order_by(messages.c.id)
        )
        yield from self._connection.execute(query).all()

    def _compare(self, channel: str, address: str, rows: list[sa.Row[Any]]) -> None:
        account = self._channels[channel]
        if not isinstance(account, TwilioAccount):
            raise TypeError(channel)
        # What an earlier run handed over, and this one found without an answer, is older.
        sent = [row.sending_at for row in rows if row.sending_at is not None]
        since = min([self._started_at, *sent]) - _MARGIN
        found = sent_to(account, channel, address, since=since, until=self._until)
        listed = {one.sid: one for one in found}
        for row in rows:
            if row.sid is None:
                continue
            self.accepted += 1
            there = listed.get(row.sid)
            if there is None:
                self.differences.append(f"message {row.id}: Twilio does not list {row.sid}")
                continue
            self.listed += 1
            told = next_state(MessageState.SENT, there.status)
            if told in _ENDS and MessageState(row.state) in _ENDS and told.value != row.state:
                self.differences.append(
                    f"message {row.id}: {row.state} in the ledger, {there.status} at Twilio"
                )
        self._look_for_unknown(channel, address, listed)

    def _look_for_unknown(self, channel: str, address: str, listed: dict[str, Listed]) -> None:
        """What Twilio has, and no message of the ledger, whichever run handed it over."""
        unanswered = self._connection.execute(
            sa.select(messages.c.id)
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .where(
                messages.c.channel == channel,
                messages.c.state == MessageState.UNKNOWN.value,
                message_contents.c.address == address,
            )
            .order_by(messages.c.id)
        ).scalars()
        named = " or ".join(unanswered)
        known = set(
            self._connection.execute(
                sa.select(messages.c.sid).where(messages.c.sid.in_(listed))
            ).scalars()
        )
        perhaps = f"; perhaps {named}, which is unknown" if named else ""
        for sid, one in listed.items():
            if sid not in known:
                at = iso_utc(one.created_at)
                self.differences.append(
                    f"Twilio lists {sid} of {at} to {mask_address(address)}, which the ledger "
                    f"does not know{perhaps}"
                )
