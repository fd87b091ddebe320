"""Walks the trail from its first event to its head, and finds the first one that is not as sealed.

An event can be edited, deleted, swapped with another or put in: each breaks the chain there. A tail
that was cut, or a trail that was sealed anew from some event on, shows only against anchors kept
elsewhere.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.audit.reading import SealedRow
from target_twilio_alerts.ledger.events import GENESIS, Sealed
from target_twilio_alerts.ledger.tables import chain_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.audit.anchors import Anchor


class Fault(NamedTuple):
    """Something that is not as it was sealed: at which event, if at any, and what, as a line."""

    seq: int | None
    what: str


class Faults:
    """Counts what is not as it was sealed, and keeps the first of it."""

    def __init__(self) -> None:
        self.first: Fault | None = None
        self.number = 0

    def add(self, seq: int | None, what: str) -> None:
        """Note one: at which event, and what, as a line; what is at no event comes last."""
        self.number += 1
        if self.first is None or _place(seq) < _place(self.first.seq):
            self.first = Fault(seq, what)


def _place(seq: int | None) -> float:
    return math.inf if seq is None else seq


class Walk:
    """A walk along the chain; ask for its `fault` when all rows have been taken.

    Args:
        anchors: What was noted elsewhere of events, by their numbers.
    """

    def __init__(self, anchors: Mapping[int, Sequence[Anchor]]) -> None:
        self._anchors = anchors
        self._agreed = 0
        self._encode = msgspec.json.Encoder().encode
        self.seq = 0
        self.hash = GENESIS
        self.fault: Fault | None = None

    def take(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Take the next events, as SealedRow has them; False once one is not as it was sealed."""
        encode, sha256 = self._encode, hashlib.sha256
        seq, last, anchors = self.seq, self.hash, self._anchors
        for row in rows:
            at_seq, at, kind, run_id, alert_id, message_id, body, previous, kept = row
            found = sha256(
                encode(Sealed(alert_id, at, body, kind, message_id, previous, run_id, at_seq))
            ).hexdigest()
            if at_seq != seq + 1 or previous != last or found != kept:
                self.fault = _broken(SealedRow._make(row), seq, last, found)
                return False
            seq, last = at_seq, found
            if seq in anchors:
                self.fault = self._held_against(anchors[seq], last)
                if self.fault is not None:
                    return False
        self.seq, self.hash = seq, last
        return True

    def _held_against(self, anchors: Sequence[Anchor], found: str) -> Fault | None:
        for anchor in anchors:
            if anchor.hash != found:
                first = self._agreed + 1
                return Fault(
                    first,
                    f"{_events(first, anchor.seq)}: sealed anew: event {anchor.seq} has not the "
                    f"hash of the anchor in {anchor.place}",
                )
            self._agreed = anchor.seq
        return None

    def end(self, connection: Connection) -> None:
        """Hold the last event against the chain's head, and against anchors of later ones."""
        if self.fault is None:
            heads = connection.execute(sa.select(chain_head)).all()
            self.fault = self._past_the_end() or self._held_against_head(heads)

    def _past_the_end(self) -> Fault | None:
        last = max(self._anchors, default=0)
        if last <= self.seq:
            return None
        since = "" if self._agreed == self.seq else f" or sealed anew since event {self._agreed}"
        return _cut(self.seq, f"cut{since}; the anchor in {self._anchors[last][0].place}", last)

    def _held_against_head(self, heads: Sequence[Any]) -> Fault | None:
        if len(heads) != 1 or heads[0].id != 1 or not isinstance(heads[0].seq, int):
            return Fault(self.seq, f"event {self.seq}: chain_head is not one row that names it")
        (head,) = heads
        if head.seq > self.seq:
            return _cut(self.seq, "cut; the chain's head", head.seq)
        if head.seq < self.seq:
            what = f"put in behind the chain's head, which is event {head.seq}"
            return Fault(head.seq + 1, f"event {head.seq + 1}: {what}")
        if head.hash != self.hash:
            return Fault(self.seq, f"event {self.seq}: has not the hash of the chain's head")
        return None


def _cut(last: int, what: str, known: int) -> Fault:
    told = f"missing, and all after it: the trail was {what} knows {known} events"
    return Fault(last + 1, f"event {last + 1}: {told}")


def _events(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"


def _broken(row: SealedRow, seq: int, last: str, found: str) -> Fault:
    """What is wrong with an event that is not the next one, or not as it was sealed."""
    following = seq + 1
    if row.seq < following:
        return Fault(following, f"event {row.seq}: put in: the trail begins with event 1")
    if row.seq > following:
        return Fault(following, f"{_events(following, row.seq - 1)}: missing: deleted")
    named = f"event {following}"
    if isinstance(row.kind, str) and re.fullmatch("[a-z_]+", row.kind):
        named += f" ({row.kind})"
    if found != row.hash and row.previous_hash == last:
        return Fault(following, f"{named}: edited: its hash seals something else")
    if found != row.hash:
        what = "edited, swapped or put in: its hash seals something else, after another event"
        return Fault(following, f"{named}: {what}")
    if seq == 0:
        return Fault(1, f"{named}: does not begin the trail: what came before it was deleted")
    return Fault(
        seq,
        f"event {seq}: edited and sealed anew, or {named} put in: it was sealed after another one",
    )
