"""``twilio-alerts release``: send what the flood brake holds, after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.workplace import BY_OPTION, REASON_OPTION, signed, told_in_one_line
from target_twilio_alerts.ledger import Event, events, runs, told
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger.told import Released


@click.command()
@click.argument("message_ids", nargs=-1)
@click.option("--rule", help="Only messages of this rule.")
@click.option("--all", "every", is_flag=True, help="All that is held.")
@REASON_OPTION
@BY_OPTION
@click.option("--dry-run", is_flag=True, help="Only say how many that would be.")
@click.pass_obj
@told_in_one_line
def release(
    workplace: Workplace,
    message_ids: tuple[str, ...],
    *,
    rule: str | None,
    every: bool,
    reason: str,
    by: str | None,
    dry_run: bool,
) -> None:
    """Let messages go that the flood brake holds; the next run or `deliver` sends them."""
    if not (message_ids or rule or every):
        raise click.ClickException("name messages, or give --rule or --all")
    now = runs.utc_now()
    wanted = [one.upper() for one in message_ids] or None
    with workplace.ledger() as ledger, ledger.write(keep=not dry_run) as connection:
        found = told.held(connection, rule=rule, ids=wanted)
        unknown = sorted(set(wanted or ()) - set(found))
        if unknown:
            raise click.ClickException(f"not held by the flood brake: {', '.join(unknown)}")
        body = signed(by, reason)
        gone = (told.release(connection, one, at=now) for one in found)
        released = [released_event(one, body) for one in gone if one is not None]
        events.append(connection, released, at=now, run_id=None)
    would = "would be released" if dry_run else "released; `twilio-alerts deliver` sends them"
    click.echo(f"{len(released)} messages {would}")


def released_event(one: Released, body: dict[str, str]) -> Event:
    """The event of a message that was released, with who did it and why."""
    steps = {str(step): iso_utc(due_at) for step, due_at in one.steps_due_at.items()}
    told_too = {**body, "steps_due_at": steps} if steps else body
    return Event("message_released", told_too, alert_id=one.alert_id, message_id=one.id)
