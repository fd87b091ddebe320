"""Notices a ledger that was restored from an older backup, before it sends anything.

What was sent since is not in it, so that people would be told twice. Two witnesses know better: the
anchors of its runs, and the list of messages that Twilio has accepted.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.delivery.channels import NoStatus, SmsChannel
from target_twilio_alerts.delivery.dispatcher import Doubt
from target_twilio_alerts.ledger import Event, LedgerError, events
from target_twilio_alerts.ledger.ids import ALPHABET
from target_twilio_alerts.ledger.tables import audit_events, iso_utc, messages, runs

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import Channel, Found
    from target_twilio_alerts.ledger import Ledger

logger = logging.getLogger(__name__)

ACCEPTED = "restored_ledger_accepted"

_REFERENCE = re.compile(rf"(?:Ref|Viite) (?P<id>[{ALPHABET}]{{8}})\s*$")
"""How texts end in every language, whoever wrote them."""

_CLOCKS_DIFFER = timedelta(minutes=5)
_MEND = (
    "nothing is sent: bring back the newest ledger, or see what was sent and go on with "
    "`twilio-alerts accept-restored --reason ...`"
)

_UNKNOWN = (
    "whether it was restored from an older backup cannot be known: Twilio's list of messages "
    "cannot be read ({}); what is pending waits for a run that can read it. Let the key read "
    "messages, or set anchor_file, or set restored_ledger to ignore"
)


class _UnansweredError(Exception):
    """Twilio's list could not be read, and why."""

    def __init__(self, report: NoStatus) -> None:
        super().__init__(report.reason)
        self.can_pass = not report.is_final


def ensure_current(ledger: Ledger, anchor_file: Path | None) -> None:
    """Refuse a ledger that does not have the last anchor of a file: it has forgotten what it sent.

    Raises:
        LedgerError: It was restored from an older backup, or is another one.
    """
    anchor = None if anchor_file is None else anchors.last(anchor_file)
    if anchor is None:
        return
    event = audit_events.c
    with ledger.read() as connection:
        query = sa.select(event.hash).where(event.seq == anchor.seq)
        found = connection.execute(query).scalar()
    if found != anchor.hash:
        raise LedgerError(
            f"{ledger.description}: event {anchor.seq} of the last anchor in {anchor_file} is not "
            f"in it: it was restored from an older backup, or is another ledger; {_MEND}"
        )


@dataclass(frozen=True)
class Witness:
    """Twilio, that knows what a ledger must have.

    Attributes:
        channels: Channels, of which one of Twilio's messages is asked.
        numbers: Whom rules tell by SMS or WhatsApp.
        is_anchored: Whether anchors have agreed, so that nothing waits for an answer of Twilio's.
    """

    channels: Mapping[str, Channel]
    numbers: Container[str]
    is_anchored: bool

    def doubt(self, ledger: Ledger) -> Doubt | None:
        """Why a ledger seems to be older than it was, or cannot be known not to be."""
        try:
            with ledger.read() as connection:
                doubt = self._doubt(connection)
        except _UnansweredError as error:
            logger.warning("Twilio cannot be asked whether the ledger is the newest: %s", error)
            if self.is_anchored:
                return None
            why = f"{ledger.description}: {_UNKNOWN.format(error)}"
            return Doubt(why, can_pass=error.can_pass)
        return None if doubt is None else Doubt(f"{ledger.description}: {doubt}; {_MEND}")

    def _doubt(self, connection: Connection) -> str | None:
        begun = sa.select(sa.func.min(runs.c.started_at)).scalar_subquery()
        query = sa.select(sa.func.coalesce(sa.func.max(messages.c.accepted_at), begun))
        since = connection.execute(query).scalar_one()
        foreign = self._foreign(connection, since - _CLOCKS_DIFFER)
        if not foreign:
            return None
        accepted = _accepted_at(connection)
        foreign = [one for one in foreign if accepted is None or one.created_at > accepted]
        if not foreign:
            return None
        newest = max(foreign, key=lambda one: one.created_at)
        return (
            f"does not know {len(foreign)} of our messages that Twilio has, the newest one "
            f"{newest.sid} of {iso_utc(newest.created_at)}: it was restored from an older backup, "
            "or another ledger sends from this account (then set restored_ledger to ignore)"
        )

    def _foreign(self, connection: Connection, since: datetime) -> list[Found]:
        """What Twilio has with a reference that no message of this ledger has."""
        asked = (one for one in self.channels.values() if isinstance(one, SmsChannel))
        account = next(asked, None)
        found = [] if account is None else account.find_all(since=since)
        if isinstance(found, NoStatus):
            raise _UnansweredError(found)
        by_reference = dict(_references(found, self.numbers))
        ours = sa.select(messages.c.id).where(messages.c.id.in_(by_reference))
        for message_id in connection.execute(ours).scalars():
            del by_reference[message_id]
        return list(by_reference.values())


def accept(
    ledger: Ledger, anchor_file: Path | None, *, at: datetime, body: Mapping[str, str]
) -> int:
    """Write down that a ledger is to go on as it is, and by whom; gives the number of it.

    Raises:
        AnchorError: The file of anchors cannot be written.
    """
    if anchor_file is not None:
        anchors.ensure_writable(anchor_file)
    with ledger.write() as connection:
        events.append(connection, [Event(ACCEPTED, dict(body))], at=at, run_id=None)
        seq, head = events.head(connection)
    if anchor_file is not None:
        anchors.append(anchor_file, run_id="0" * 32, at=at, seq=seq, head=head)
    return seq


def _accepted_at(connection: Connection) -> datetime | None:
    event = audit_events.c
    moment: datetime | None = connection.execute(
        sa.select(sa.func.max(event.at)).where(event.kind == ACCEPTED)
    ).scalar()
    return moment


def _references(found: Iterable[Found], numbers: Container[str]) -> Iterator[tuple[str, Found]]:
    """Messages to numbers by the references that they end with; a redacted text has none."""
    for one in found:
        match = _REFERENCE.search(one.text or "")
        if match is not None and one.to in numbers:
            yield match["id"], one
