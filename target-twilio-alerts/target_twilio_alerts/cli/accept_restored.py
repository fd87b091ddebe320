"""``twilio-alerts accept-restored``: go on with a ledger that is older than what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_twilio_alerts.audit import restored
from target_twilio_alerts.cli.workplace import BY_OPTION, REASON_OPTION, signed, told_in_one_line
from target_twilio_alerts.ledger import runs

if TYPE_CHECKING:
    from target_twilio_alerts.cli.workplace import Workplace


@click.command("accept-restored")
@REASON_OPTION
@BY_OPTION
@click.pass_obj
@told_in_one_line
def accept_restored(workplace: Workplace, *, reason: str, by: str | None) -> None:
    """Go on with a ledger that was restored from an older backup.

    What was sent since that backup is in no ledger: see `twilio-alerts audit --state pending`, and
    cancel what people have been told already.
    """
    with workplace.ledger() as ledger:
        number = restored.accept(
            ledger, workplace.settings.anchor_file, at=runs.utc_now(), body=signed(by, reason)
        )
    click.echo(f"Accepted in event {number}; the next run or `deliver` sends what is pending")
