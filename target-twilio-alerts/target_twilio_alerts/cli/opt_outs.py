"""``twilio-alerts opt-outs``: who wants no more messages, and who does again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import (
    FORMAT_OPTION,
    masked,
    operator_name,
    told_in_one_line,
)
from target_twilio_alerts.ledger import Event, events, opt_outs, runs
from target_twilio_alerts.ledger.tables import iso_utc
from target_twilio_alerts.messages.masking import mask_address
from target_twilio_alerts.rules.model import CHANNELS

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger.opt_outs import OptOut

_COLUMNS = ("since", "channel", "address", "recipient", "source", "message")


@click.group("opt-outs")
def opt_outs_group() -> None:
    """Who told the provider that they want no more messages."""


@opt_outs_group.command("list")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def list_opt_outs(workplace: Workplace, *, form: str) -> None:
    """List opt-outs; their messages are suppressed."""
    with workplace.ledger() as ledger, ledger.read() as connection:
        found = opt_outs.every(connection)
    rows = [_row(workplace, one) for one in found]
    print_rows(rows, _COLUMNS, form, empty="Nobody has opted out.")


@opt_outs_group.command("clear")
@click.argument("recipient")
@click.option("--channel", type=click.Choice(CHANNELS), default="sms", show_default=True)
@click.option("--reason", required=True, callback=masked, help="Why; kept in the audit trail.")
@click.pass_obj
@told_in_one_line
def clear(workplace: Workplace, recipient: str, channel: str, *, reason: str) -> None:
    """Forget that RECIPIENT opted out, after they told the provider so (START, by SMS).

    The provider keeps its own list: as long as it has them, the next message is refused again.
    """
    if not reason.strip():
        raise click.ClickException("--reason is empty; say why they can be told again")
    person = workplace.alerts.recipients.get(recipient)
    if person is None:
        raise click.ClickException(f"no recipient {recipient} in the alerts file")
    now = runs.utc_now()
    with workplace.ledger() as ledger, ledger.write() as connection:
        cleared = [
            address
            for address in person.addresses(channel)
            if opt_outs.remove(connection, channel, address)
        ]
        if not cleared:
            raise click.ClickException(
                f"{recipient} has not opted out of {channel}; see `opt-outs list`"
            )
        body = {
            "channel": channel,
            "recipient": recipient,
            "operator": operator_name(),
            "reason": " ".join(reason.split()),
        }
        events.append(connection, [Event("opt_out_cleared", body)], at=now, run_id=None)
    click.echo(f"{recipient}: is told by {channel} again")


def _row(workplace: Workplace, one: OptOut) -> dict[str, str | None]:
    """One opt-out; of an address that nobody has any more only its hash is known."""
    known = {
        opt_outs.hash_of(one.channel, address): (name, address)
        for name, person in workplace.alerts.recipients.items()
        for address in person.addresses(one.channel)
    }
    name, address = known.get(one.address_hash, (None, None))
    return {
        "since": iso_utc(one.since),
        "channel": one.channel,
        "address": one.address_hash[:12] if address is None else mask_address(address),
        "recipient": name,
        "source": one.source,
        "message": one.message_id,
    }
