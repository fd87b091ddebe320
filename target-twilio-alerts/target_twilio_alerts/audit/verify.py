"""The whole ledger held against its trail: the chain, its anchors, and the rows it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_twilio_alerts.audit.chain import Faults, Walk
from target_twilio_alerts.audit.messages import Messages
from target_twilio_alerts.audit.reading import events_of
from target_twilio_alerts.audit.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.audit.anchors import Anchor
    from target_twilio_alerts.audit.chain import Fault
    from target_twilio_alerts.ledger import Ledger


@dataclass(frozen=True)
class Verdict:
    """What came of looking at a ledger.

    Attributes:
        events: How many events were walked.
        head: The hash of the last one.
        messages: How many messages were held against them.
        fault: The first thing that is not as it was sealed; None: all is.
        faults: How many such things there are; of a broken chain the first one only.
    """

    events: int
    head: str
    messages: int
    fault: Fault | None
    faults: int


def verify(ledger: Ledger, anchors: Mapping[int, Sequence[Anchor]] | None = None) -> Verdict:
    """Look at every event, then at what each says of other rows; as the ledger is at one moment.

    Args:
        ledger: The ledger.
        anchors: What was noted elsewhere of its events, by their numbers.
    """
    walk, faults = Walk(anchors or {}), Faults()
    with ledger.read() as connection:
        if connection.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        rows, messages = Rows(connection, faults), Messages(connection, faults)
        for events in events_of(connection):
            if not walk.take(events):
                break
            rows.take(events)
            messages.take(events)
        walk.end(connection)
        # Rows are held against events that can be believed only.
        if walk.fault is None:
            rows.end()
            messages.end()
    if walk.fault is not None:
        return Verdict(walk.seq, walk.hash, 0, walk.fault, 1)
    return Verdict(walk.seq, walk.hash, messages.number, faults.first, faults.number)
