"""``twilio-alerts ack``: somebody takes care of an alert, so that it goes no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from target_twilio_alerts.cli.workplace import BY_OPTION, REASON_OPTION, signed, told_in_one_line
from target_twilio_alerts.delivery.acknowledging import acknowledge
from target_twilio_alerts.ledger import escalations, runs
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.tables import alerts, iso_utc, messages

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace

_HOW = "command line"


@click.command("ack")
@click.argument("reference")
@REASON_OPTION
@BY_OPTION
@click.pass_obj
@told_in_one_line
def ack(workplace: Workplace, reference: str, *, reason: str, by: str | None) -> None:
    """Acknowledge the alert of REFERENCE: it is escalated no further.

    REFERENCE is in the message ("Ref ..."), or is the alert's own.
    """
    now = runs.utc_now()
    with workplace.ledger() as ledger, ledger.write() as connection:
        alert_id = _alert(connection, reference.upper())
        if alert_id is None:
            raise click.ClickException(
                f"no message or alert {reference} in the ledger; `twilio-alerts audit` lists them",
            )
        who = signed(by, reason)
        made = Acknowledgement(alert_id, now, who["by"], _HOW, reason)
        if not acknowledge(connection, made, operator=who["operator"]):
            known = escalations.acknowledgement(connection, alert_id)
            told = "" if known is None else f" by {known.by} at {iso_utc(known.at)}"
            raise click.ClickException(f"alert {alert_id} has been acknowledged{told}")
    click.echo(f"{alert_id}: acknowledged by {made.by}")


def _alert(connection: Connection, reference: str) -> str | None:
    """The alert of a message's reference, or of its own."""
    found: str | None = connection.execute(
        sa.select(messages.c.alert_id).where(
            messages.c.id == reference, messages.c.alert_id.is_not(None)
        ),
    ).scalar()
    if found is None:
        found = connection.execute(sa.select(alerts.c.id).where(alerts.c.id == reference)).scalar()
    return found
