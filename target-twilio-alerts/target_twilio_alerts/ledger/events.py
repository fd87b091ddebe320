"""The audit trail: append-only events, each sealed with the hash of the one before.

Canonical form of an event: UTF-8 JSON, keys sorted, no blanks, of
``{alert_id, at, body, kind, message_id, previous_hash, run_id, seq, v}`` with ``at`` as
``YYYY-MM-DDTHH:MM:SS.ffffffZ``, ``body`` the exact text of the row, ``v`` 1. Its SHA-256, in hex,
is the row's ``hash`` and the next row's ``previous_hash``; the first one's is 64 zeros. Amounts in
a body are text. Telephone numbers, addresses, texts and what documents say are never in a body,
only their salted hashes. docs/promises.md tells it to those who check by hand.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.ledger.databases import LedgerError
from target_twilio_alerts.ledger.tables import audit_events, chain_head, iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

GENESIS = "0" * 64


class Event:
    """One thing that happened, before it has its place in the chain.

    Args:
        kind: A snake_case name, e.g. ``alert_raised``.
        body: JSON-ready facts; amounts as text, no address and no text of a message.
    """

    __slots__ = ("alert_id", "body", "kind", "message_id")

    def __init__(
        self,
        kind: str,
        body: Mapping[str, Any] | None = None,
        *,
        alert_id: str | None = None,
        message_id: str | None = None,
    ) -> None:
        self.kind = kind
        self.body = canonical_json(body or {})
        self.alert_id = alert_id
        self.message_id = message_id


def canonical_json(value: Any) -> str:
    """Write JSON that is the same text for the same value everywhere."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Sealed(msgspec.Struct, gc=False):
    """What a hash seals: its fields are in the order of the canonical form.

    They are read from rows that somebody may have changed, so a value can be of any type.
    """

    alert_id: Any
    at: Any
    body: Any
    kind: Any
    message_id: Any
    previous_hash: Any
    run_id: Any
    seq: Any
    v: int = 1


_encoder = msgspec.json.Encoder()


def canonical_form(event: Sealed) -> bytes:
    """Write an event as it is sealed, as described above."""
    return _encoder.encode(event)


def seal(event: Sealed) -> str:
    """The hash that seals an event."""
    return hashlib.sha256(_encoder.encode(event)).hexdigest()


def event_hash(row: Mapping[str, Any]) -> str:
    """Seal one row of ``audit_events`` (its own ``hash`` left out)."""
    return seal(
        Sealed(
            alert_id=row["alert_id"],
            at=iso_utc(row["at"]),
            body=row["body"],
            kind=row["kind"],
            message_id=row["message_id"],
            previous_hash=row["previous_hash"],
            run_id=row["run_id"],
            seq=row["seq"],
        ),
    )


def salted_hash(salt: str, value: str) -> str:
    """Hash something erasable, so that the chain can outlive it: SHA-256 of salt, U+001F, value."""
    return hashlib.sha256(f"{salt}\x1f{value}".encode()).hexdigest()


# Built once: each of them runs for every step of every message.
_HEAD = sa.select(chain_head.c.seq, chain_head.c.hash).where(chain_head.c.id == 1)
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = sa.update(chain_head).where(chain_head.c.id == 1)
_APPEND = sa.insert(audit_events)


def append(
    connection: Connection,
    events: Iterable[Event],
    *,
    at: datetime,
    run_id: str | None,
) -> None:
    """Append events inside the transaction of what they tell.

    Call it last in a transaction: it takes the lock of the chain's head, which all writers share.

    Raises:
        LedgerError: The ledger has lost the chain's head.
    """
    pending = list(events)
    if not pending:
        return
    seq, previous_hash = _head(connection, lock=True)
    rows = []
    for event in pending:
        seq += 1
        row = {
            "seq": seq,
            "at": at,
            "kind": event.kind,
            "run_id": run_id,
            "alert_id": event.alert_id,
            "message_id": event.message_id,
            "body": event.body,
            "previous_hash": previous_hash,
        }
        row["hash"] = previous_hash = event_hash(row)
        rows.append(row)
    connection.execute(_APPEND, rows)
    connection.execute(_MOVE_HEAD, {"seq": seq, "hash": previous_hash})


def head(connection: Connection) -> tuple[int, str]:
    """The chain's last sequence number (0 when empty) and hash.

    Raises:
        LedgerError: The ledger has lost it.
    """
    return _head(connection)


def _head(connection: Connection, *, lock: bool = False) -> tuple[int, str]:
    row = connection.execute(_LOCK_HEAD if lock else _HEAD).first()
    if row is None:
        raise LedgerError(
            "the ledger's table chain_head does not have its row: somebody has changed it, and "
            "nothing can be written; restore the ledger from a backup"
        )
    return row.seq, row.hash
