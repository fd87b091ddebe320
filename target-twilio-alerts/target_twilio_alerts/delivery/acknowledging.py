"""Somebody takes care of an alert: written with the event that tells who, and over what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import Event, escalations, events

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.escalations import Acknowledgement


def acknowledge(
    connection: Connection,
    made: Acknowledgement,
    *,
    operator: str | None = None,
    run_id: str | None = None,
) -> bool:
    """Write an acknowledgement; False if somebody was faster.

    Args:
        connection: A transaction that writes, with nothing in it yet.
        made: Who, and over what.
        operator: Who was at the keyboard.
        run_id: The run at work.
    """
    if not escalations.acknowledge(connection, made):
        return False
    body = {"by": made.by, "how": made.how, "operator": operator, "reason": made.reason}
    event = Event(
        "alert_acknowledged",
        {name: value for name, value in body.items() if value},
        alert_id=made.alert_id,
    )
    events.append(connection, [event], at=made.at, run_id=run_id)
    return True
