"""Opt-outs: addresses whose owners told the provider that they want no more messages.

An address is known by its hash, so that the list outlives what erases addresses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import opt_outs
from target_twilio_alerts.ledger.upserts import insert_new

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

OPTED_OUT_CODES = frozenset({"21610"})
"""Twilio's error codes that tell of an opt-out: "Attempt to send to unsubscribed recipient"."""


@dataclass(frozen=True)
class OptOut:
    """One address on one channel.

    Attributes:
        channel: Such as "sms".
        address_hash: SHA-256 of the channel and the address.
        since: When the provider told us.
        message_id: The message that it refused.
        source: How we know, such as "error 21610".
    """

    channel: str
    address_hash: str
    since: datetime
    message_id: str
    source: str


class OptOuts:
    """The opt-outs of a moment."""

    def __init__(self, found: list[OptOut]) -> None:
        self._found = {(one.channel, one.address_hash): one for one in found}

    def of(self, channel: str, address: str) -> OptOut | None:
        """The opt-out of an address, if there is one."""
        return self._found.get((channel, hash_of(channel, address)))


def hash_of(channel: str, address: str) -> str:
    """The hash that an address is known by."""
    return hashlib.sha256(f"{channel}:{address}".encode()).hexdigest()


def load(connection: Connection) -> OptOuts:
    """The opt-outs as they are now."""
    return OptOuts(every(connection))


def every(connection: Connection) -> list[OptOut]:
    """All opt-outs, the oldest first."""
    query = sa.select(opt_outs).order_by(opt_outs.c.since, opt_outs.c.address_hash)
    return [OptOut(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name


def add(connection: Connection, one: OptOut) -> bool:
    """Remember an opt-out; False if it is known."""
    return insert_new(connection, opt_outs, vars(one), key=("channel", "address_hash"))


def remove(connection: Connection, channel: str, address: str) -> bool:
    """Forget an opt-out; False if there is none."""
    table = opt_outs.c
    removed = connection.execute(
        sa.delete(opt_outs).where(
            table.channel == channel, table.address_hash == hash_of(channel, address)
        ),
    )
    return removed.rowcount > 0
