"""What the trail is asked before anything is sent: whether it has what was anchored last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.ledger import LedgerError
from target_twilio_alerts.ledger.tables import audit_events

if TYPE_CHECKING:
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.settings import Settings


def ensure_current(ledger: Ledger, settings: Settings) -> None:
    """Refuse a ledger that is behind its anchor file: it would send again what it has forgotten.

    Raises:
        LedgerError: It was restored from an older backup, or is another one.
    """
    path = settings.anchor_file
    anchor = None if path is None else anchors.newest(path)
    if path is None or anchor is None:
        return
    with ledger.read() as connection:
        query = sa.select(audit_events.c.hash).where(audit_events.c.seq == anchor.seq)
        found = connection.execute(query).scalar()
    if found != anchor.hash:
        raise LedgerError(
            f"{ledger.description}: event {anchor.seq} of anchor_file {path} is not in it: it was "
            "restored from an older backup, or is another ledger, and may send again what was sent "
            "since; restore the newest copy, or move the anchor file away to go on with this one",
        )
