"""``twilio-alerts resend``: send again what did not get through, as new linked attempts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from target_twilio_alerts.audit.closing import end_run
from target_twilio_alerts.cli.operate import (
    add_messages,
    hand_over,
    needs_settings,
    start_run,
    tell_states,
)
from target_twilio_alerts.cli.resending import Planned, Wish, plan, refusals, warnings
from target_twilio_alerts.cli.rows import print_rows
from target_twilio_alerts.cli.workplace import (
    BY_OPTION,
    FORMAT_OPTION,
    REASON_OPTION,
    moment_of,
    operator_name,
    told_in_one_line,
)
from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.ledger import LedgerError, MessageState, locks
from target_twilio_alerts.ledger.failures import FAILED
from target_twilio_alerts.ledger.resends import Selection
from target_twilio_alerts.messages import mask_address
from target_twilio_alerts.messages.kinds import KINDS
from target_twilio_alerts.notify.brake import priced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.rules.model import Limits

_MICRO = Decimal(1_000_000)
_COLUMNS = (
    *("message", "recipient", "channel", "address", "rule", "document", "state", "code"),
    *("meaning", "cost"),
)


@click.command()
@click.argument("message_ids", nargs=-1)
@click.option("--rule", help="Only messages of this rule.")
@click.option("--recipient", help="Only messages to this recipient.")
@click.option(
    "--code", help="Only messages with this error code, such as 21614; of calls, busy or no-answer."
)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in (*FAILED, MessageState.UNKNOWN)]),
    help="Only messages in this state; may be given more than once. If not given: failed, "
    "rejected and undelivered. What is unknown may be told twice.",
)
@click.option("--since", help="Only messages from this day or time on, UTC: 2026-11-01T08:00.")
@click.option("--until", help="Only messages before this day or time, UTC.")
@click.option("--to", help="Another recipient of the alerts file, or an address.")
@click.option("--again", is_flag=True, help="Also what has been sent again already.")
@REASON_OPTION
@BY_OPTION
@click.option("--yes", is_flag=True, help="Send; without it they are only listed.")
@click.option("--dry-run", is_flag=True, help="Only list them.")
@FORMAT_OPTION
@click.pass_obj
@told_in_one_line
def resend(
    workplace: Workplace,
    /,
    *,
    message_ids: tuple[str, ...],
    rule: str | None,
    recipient: str | None,
    code: str | None,
    states: tuple[str, ...],
    since: str | None,
    until: str | None,
    to: str | None,
    again: bool,
    reason: str,
    by: str | None,
    yes: bool,
    dry_run: bool,
    form: str,
) -> None:
    """Send messages again, each as a new attempt linked to the old one.

    Name them, or select them by rule, recipient, error code, state and time. Each goes to the
    recipient's address as the alerts file has it now, so that a corrected number is used; the old
    attempt stays as it is.
    """
    selects = bool(rule or recipient or code or states or since or until)
    if bool(message_ids) == selects:
        raise click.ClickException(
            "name messages, or select them by --rule, --recipient, --code, --state, --since or "
            "--until" + (", not both" if selects else ""),
        )
    if again and selects:
        raise click.ClickException("--again is for messages that are named; name them")
    wish = Wish(
        selection=Selection(
            ids=tuple(dict.fromkeys(one.upper() for one in message_ids)),
            rule=rule,
            recipient=recipient,
            code=code,
            states=(states or tuple(state.value for state in FAILED)) if selects else (),
            since=moment_of("--since", since) if since else None,
            until=moment_of("--until", until) if until else None,
        ),
        to=to,
        again=again,
        reason=reason,
        by=by or operator_name(),
    )
    with workplace.sending_ledger() as ledger:
        with ledger.read() as connection:
            planned = _checked(plan(connection, workplace.alerts, wish), wish)
        if dry_run or not yes:
            _tell((*refusals(planned), *warnings(planned)))
            _list(planned, workplace.alerts.limits, form)
            return
        for channel in {one.attempt.channel for one in planned if one.attempt is not None}:
            needs_settings(workplace, channel)
        if not _send(workplace, ledger, wish):
            raise click.exceptions.Exit(1)


def _checked(planned: list[Planned], wish: Wish) -> list[Planned]:
    """The plan, if something is to be sent; of what is named, all must be.

    Raises:
        click.ClickException: It is not.
    """
    refused = list(refusals(planned))
    if wish.selection.ids and refused:
        raise click.ClickException("\n".join(refused))
    if len(refused) == len(planned):
        _tell(refused)
        raise click.ClickException("there is nothing to send again")
    return planned


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, err=True)


def _list(planned: Sequence[Planned], limits: Limits, form: str) -> None:
    """What would be sent, and what it would cost."""
    rows, total = [], Decimal(0)
    for one in planned:
        if one.attempt is None:
            continue
        message, old = priced(one.attempt, limits), one.old
        cost = None if message.cost_micros is None else Decimal(message.cost_micros) / _MICRO
        total += cost or 0
        known = explain(old.error_code or old.status)
        rows.append(
            {
                "message": old.id,
                "recipient": message.recipient,
                "channel": message.channel,
                "address": mask_address(message.address),
                "rule": old.rule or KINDS.get(old.template, old.template),
                "document": old.title,
                "state": old.state,
                "code": old.error_code,
                "meaning": known.meaning if known else old.reason,
                "cost": None if cost is None else f"{cost.normalize():f}",
            }
        )
    print_rows(rows, _COLUMNS, form, empty="")
    priced_at = f", for {total.normalize():f}" if limits.prices is not None else ""
    noun = "message" if len(rows) == 1 else "messages"
    click.echo(f"{len(rows)} {noun} would be sent again{priced_at}: add --yes", err=True)


def _send(workplace: Workplace, ledger: Ledger, wish: Wish) -> bool:
    """Write the attempts, and deliver; gives whether the provider has taken all of them."""
    run = start_run(ledger, "resend")
    try:
        with ledger.write() as connection:
            # Whoever else resends the same is done by now, and what they did is seen.
            locks.telling(connection)
            planned = _checked(plan(connection, workplace.alerts, wish), wish)
            _tell((*refusals(planned), *warnings(planned)))
            attempts = [one.attempt for one in planned if one.attempt is not None]
            add_messages(workplace, connection, attempts, run)
    except (click.ClickException, LedgerError):
        end_run(ledger, workplace.settings, run, outcome="failed", summary={})
        raise
    hand_over(workplace, ledger, run)
    return tell_states(ledger, [attempt.id for attempt in attempts])
