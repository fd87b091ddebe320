"""Messages whose answer was lost: settled by evidence in the provider's own list, or not at all.

That the list does not have a message proves nothing: it may come late. So a message is only ever
found, never found missing, and only if exactly one in the list can be it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.channels import NoStatus
from target_twilio_alerts.delivery.channels.account import is_sid
from target_twilio_alerts.ledger import Event, events
from target_twilio_alerts.ledger import unsettled as ledger_unsettled
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import Channel, Found
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.ledger.unsettled import Unsettled

logger = logging.getLogger(__name__)

LISTED_CHANNELS = ("sms", "whatsapp", "voice")
"""Channels whose provider lists what it has accepted; those of email do not."""

LOOKED_UP_PER_RUN = 10
LOOKED_FOR = timedelta(days=3)

_EARLIER, _LATER = timedelta(minutes=5), timedelta(minutes=15)
"""How far from our hand-over the provider's time of it may be: clocks differ, queues are slow."""

BY_REFERENCE, BY_TEXT, THE_ONLY_ONE = "reference", "text", "only one to that number at that time"


@dataclass(frozen=True)
class Match:
    """What a message must be, and by which evidence."""

    found: Found
    evidence: str


def reconcile(ledger: Ledger, channels: Mapping[str, Channel], *, run: Run) -> int:
    """Look for messages that are `unknown` in their providers' lists; gives how many were settled.

    Bounded per run; those looked for longest ago come first.
    """
    asked = [name for name in LISTED_CHANNELS if name in channels]
    with ledger.read() as connection:
        unsettled = ledger_unsettled.load(
            connection, channels=asked, since=utc_now() - LOOKED_FOR, limit=LOOKED_UP_PER_RUN
        )
    settled = 0
    for message in unsettled:
        since, channel = message.sending_at - _EARLIER, channels[message.channel]
        found = channel.find(message.address, since=since)
        if isinstance(found, NoStatus):
            logger.warning("Message %s is not looked for: %s", message.id, found.reason)
            break  # the next run asks again
        sender = channel.sender_of(message.address)
        with ledger.write() as connection:
            settled += _settle(connection, message, found, sender=sender, run=run)
    return settled


def _settle(
    connection: Connection, message: Unsettled, found: Sequence[Found], *, sender: str, run: Run
) -> bool:
    now = utc_now()
    # In this order: of a rival that is answered in between, the SID is known then.
    rivals = ledger_unsettled.rivals(connection, message, within=_EARLIER + _LATER)
    of_others = ledger_unsettled.known_sids(connection, [one.sid for one in found])
    match = the_one(
        message,
        [one for one in found if one.sid not in of_others],
        sender=sender,
        texts_of_rivals=rivals,
    )
    if match is None:
        ledger_unsettled.looked_for(connection, message.id, at=now)
        return False
    one = match.found
    if not ledger_unsettled.settle(
        connection, message.id, sid=one.sid, status=one.status, accepted_at=one.created_at, at=now
    ):
        return False  # its answer came after all
    body = {
        "sid": one.sid,
        "status": one.status,
        "accepted_at": iso_utc(one.created_at),
        "evidence": match.evidence,
    }
    event = Event("message_settled", body, alert_id=message.alert_id, message_id=message.id)
    events.append(connection, [event], at=now, run_id=run.id)
    logger.info("Message %s was accepted after all: %s", message.id, match.evidence)
    return True


def the_one(
    message: Unsettled,
    found: Iterable[Found],
    *,
    sender: str,
    texts_of_rivals: Sequence[str | None],
) -> Match | None:
    """The one that a message must be; None if none is, or more than one may be.

    Args:
        message: The message.
        found: What the provider has for its number and is no other message of ours.
        sender: Whom it came from: a number, a name or a Messaging Service.
        texts_of_rivals: Texts of our other messages to that number that may be in the list without
            our knowing; None of one that was erased.
    """
    listed = list(found)
    reference = re.compile(rf"\b{re.escape(message.id)}\b")
    by_reference = [one for one in listed if one.text and reference.search(one.text)]
    if by_reference:
        return Match(by_reference[0], BY_REFERENCE) if len(by_reference) == 1 else None
    near = [
        one
        for one in listed
        if _is_near(one.created_at, message.sending_at) and _may_be_from(one, sender)
    ]
    by_text = [one for one in near if one.text == message.text]
    if by_text:
        is_only = len(by_text) == 1 and not {message.text, None}.intersection(texts_of_rivals)
        return Match(by_text[0], BY_TEXT) if is_only else None
    # The text was redacted, or it is a call, which has none.
    without_text = [one for one in near if not one.text]
    if len(without_text) == 1 and not texts_of_rivals:
        return Match(without_text[0], THE_ONLY_ONE)
    return None


def _is_near(created_at: datetime, sending_at: datetime) -> bool:
    return sending_at - _EARLIER <= created_at <= sending_at + _LATER


def _may_be_from(one: Found, sender: str) -> bool:
    """Whether a sender is who the list says; a service has no number until it has chosen one."""
    listed = one.service if is_sid(sender, "MG") else one.sender
    return listed is None or listed.casefold() == sender.casefold()
