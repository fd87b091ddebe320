"""``twilio-alerts cancel``: what waits, or is held, is not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.workplace import BY_OPTION, REASON_OPTION, signed, told_in_one_line
from target_twilio_alerts.ledger import Event, cancelling, events, runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace


@click.command()
@click.argument("message_ids", nargs=-1)
@click.option("--rule", help="Only messages of this rule.")
@click.option("--recipient", help="Only messages to this recipient.")
@click.option("--all", "every", is_flag=True, help="All that waits or is held.")
@REASON_OPTION
@BY_OPTION
@click.option("--dry-run", is_flag=True, help="Only say how many that would be.")
@click.pass_obj
@told_in_one_line
def cancel(
    workplace: Workplace,
    message_ids: tuple[str, ...],
    *,
    rule: str | None,
    recipient: str | None,
    every: bool,
    reason: str,
    by: str | None,
    dry_run: bool,
) -> None:
    """Let nobody have messages that wait, or that the flood brake holds.

    What a process has claimed or is handing over is not cancelled. Each is kept as suppressed, with
    the reason and who wanted it. An alert that nobody is told of by that is not escalated.
    """
    if not (message_ids or rule or recipient or every):
        raise click.ClickException("name messages, or give --rule, --recipient or --all")
    now, who = runs.utc_now(), signed(by, reason)
    wanted = list(dict.fromkeys(one.upper() for one in message_ids)) or None
    with workplace.ledger() as ledger, ledger.write(keep=not dry_run) as connection:
        found = cancelling.find(connection, ids=wanted, rule=rule, recipient=recipient)
        gone = {
            row.id: row.alert_id
            for row in found
            if cancelling.cancel(connection, row.id, by=who["by"], reason=reason, at=now)
        }
        lines = list(_not_cancelled(connection, [one for one in wanted or () if one not in gone]))
        if lines:
            raise click.ClickException("\n".join(lines))
        told = [
            Event("message_cancelled", who, alert_id=alert_id, message_id=message_id)
            for message_id, alert_id in gone.items()
        ]
        events.append(connection, told, at=now, run_id=None)
    noun = "message" if len(gone) == 1 else "messages"
    click.echo(f"{len(gone)} {noun} {'would be cancelled' if dry_run else 'cancelled'}")


def _not_cancelled(connection: Connection, ids: Sequence[str]) -> Iterator[str]:
    """Why messages that were named are not cancelled."""
    states = cancelling.states_of(connection, ids)
    for one in ids:
        if one not in states:
            yield f"no message {one} in the ledger; `twilio-alerts audit` lists them"
        else:
            yield (
                f"message {one} is {states[one]}; only what is pending, or held by the flood "
                "brake, can be cancelled"
            )
