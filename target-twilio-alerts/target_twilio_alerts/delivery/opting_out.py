"""Remembers who opted out, when a provider says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import Event, opt_outs
from target_twilio_alerts.ledger.opt_outs import OPTED_OUT_CODES, OptOut, hash_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


def remember_opt_out(
    connection: Connection,
    message_id: str,
    channel: str,
    address: str,
    code: object,
    *,
    at: datetime,
) -> list[Event]:
    """Remember an opt-out if an error code tells of one; gives the event that says so, once.

    Of an address that was erased meanwhile nothing can be remembered.
    """
    if str(code) not in OPTED_OUT_CODES or not address:
        return []
    one = OptOut(channel, hash_of(channel, address), at, message_id, f"error {code}")
    if not opt_outs.add(connection, one):
        return []
    body = {"channel": channel, "source": one.source}
    return [Event("opted_out", body, message_id=message_id)]
