"""``twilio-alerts deliver | send-test``: an operator's hand on the outbox."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import click
import sqlalchemy as sa

from target_twilio_alerts import wiring
from target_twilio_alerts.audit.closing import end_run
from target_twilio_alerts.cli.workplace import operator_name, told_in_one_line
from target_twilio_alerts.delivery.following import follow
from target_twilio_alerts.ledger import Event, MessageState, events, outbox, runs
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.ledger.tables import messages
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.messages.kinds import KINDS, TEST
from target_twilio_alerts.notify.brake import priced
from target_twilio_alerts.notify.compose import created_event
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.model import CHANNELS
from target_twilio_alerts.session import CredentialsRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.settings import Settings

_PATIENCE = 120
"""Seconds that a person's command delivers for, also where the target is told to leave earlier."""

_TEST = KINDS[TEST]
_NOT_NOW = "the test could not be handed over at once"

_TAKEN = {MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED}
"""The provider has it."""


@click.command()
@click.pass_obj
@told_in_one_line
def deliver(workplace: Workplace) -> None:
    """Hand over what is pending, and ask for the statuses of what was handed over."""
    with workplace.sending_ledger() as ledger:
        run = start_run(ledger, "deliver")
        hand_over(workplace, ledger, run)


@click.command("send-test")
@click.argument("recipient")
@click.option("--channel", type=click.Choice(CHANNELS), default="sms", show_default=True)
@click.pass_obj
@told_in_one_line
def send_test(workplace: Workplace, recipient: str, channel: str) -> None:
    """Send RECIPIENT a test message to each address of a channel, to prove it.

    A test that could not be handed over now is not sent later. Over WhatsApp it is free text, which
    arrives only within 24 hours of their last message.
    """
    person = workplace.alerts.recipients.get(recipient)
    if person is None:
        meant = suggestion(recipient, workplace.alerts.recipients, "there are")
        raise click.ClickException(f"no recipient {recipient} in the alerts file; {meant}")
    addresses = person.addresses(channel)
    if not addresses:
        raise click.ClickException(f"recipient {recipient} has no address for {channel}; add one")
    failed = False
    for address in addresses:
        test = _test_message(recipient, channel, address)
        failed = not _send_test(workplace, test) or failed
    if failed:
        raise click.exceptions.Exit(1)


def _test_message(recipient: str, channel: str, address: str) -> NewMessage:
    reference = short_id()
    return NewMessage(
        id=reference,
        alert_id=None,
        recipient=recipient,
        channel=channel,
        address=address,
        subject="Test message" if channel == "email" else None,
        text=f"Test message of twilio-alerts to {recipient}. Ref {reference}",
        html=None,
        salt=secrets.token_hex(16),
        template=TEST,
        locale="en",
        encoding=None,
        segments=None,
        severity_rank=0,
        operator=operator_name(),
    )


def start_run(ledger: Ledger, command: str) -> Run:
    """Begin a run of a person's command."""
    body = {"operator": operator_name()}
    return runs.start(ledger, command=command, version=wiring.version(), body=body)


def needs_settings(workplace: Workplace, channel: str) -> None:
    """Refuse a channel that lacks a setting.

    Raises:
        click.ClickException: It lacks one.
    """
    if missing := workplace.settings.missing_for(channel):
        raise click.ClickException(f"{missing} is not set, but {channel} needs it; set it")


def add_messages(
    workplace: Workplace, connection: Connection, wanted: Sequence[NewMessage], run: Run
) -> None:
    """Write messages that an operator wants, with their events."""
    now = runs.utc_now()
    with_costs = [priced(message, workplace.alerts.limits) for message in wanted]
    for message in with_costs:
        outbox.add(connection, message, at=now, run_id=run.id)
    told = [created_event(message) for message in with_costs]
    events.append(connection, told, at=now, run_id=run.id)


def tell_states(ledger: Ledger, ids: Sequence[str]) -> bool:
    """Print what became of messages; gives whether the provider has taken all of them."""
    are_taken = True
    with ledger.read() as connection:
        for message_id in ids:
            row = connection.execute(
                sa.select(messages.c.state, messages.c.sid, messages.c.reason).where(
                    messages.c.id == message_id,
                ),
            ).one()
            told = f"{message_id}: {row.state}"
            click.echo(" ".join([told, *(str(part) for part in (row.sid, row.reason) if part)]))
            are_taken = are_taken and row.state in _TAKEN
    return are_taken


def _send_test(workplace: Workplace, message: NewMessage) -> bool:
    """Write a test, and deliver; gives whether the provider has taken it."""
    needs_settings(workplace, message.channel)
    with workplace.sending_ledger() as ledger:
        run = start_run(ledger, _TEST)
        with ledger.write() as connection:
            add_messages(workplace, connection, [message], run)
        hand_over(workplace, ledger, run, withdraw=message.id)
        return tell_states(ledger, [message.id])


def hand_over(
    workplace: Workplace,
    ledger: Ledger,
    run: Run,
    *,
    withdraw: str | None = None,
) -> None:
    """Hand over what is pending; the message ``withdraw`` is not kept if it did not leave."""
    settings = workplace.settings
    channels = wiring.build_channels(settings, wiring.configured_channels(settings))
    dispatcher = wiring.build_dispatcher(settings, ledger, channels, run, workplace.alerts)
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked = follow(ledger, channels, run=run)

    dispatcher.start()
    try:
        follow_up = FollowUp(
            ledger,
            workplace.alerts,
            Messages(settings.templates_dir, public_url=settings.public_url),
            run=run,
            ask=ask,
            anchor_notify=settings.anchor_notify,
        )
        dispatcher.finish(
            deadline_seconds=max(settings.delivery_deadline_seconds, _PATIENCE),
            more=(
                follow_up.take,
                follow_up.ask_and_tell_failures,
                follow_up.look_for_unheard,
            ),
        )
    except BaseException as error:
        dispatcher.stop()
        if withdraw:
            _withdraw(ledger, withdraw, run)
        outcome = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        end_run(ledger, settings, run, outcome=outcome, summary={})
        raise
    finally:
        for channel in channels.values():
            channel.close()
    if withdraw:
        _withdraw(ledger, withdraw, run)
    summary = {name: value for name, value in vars(dispatcher.tally).items() if name != "failures"}
    head = end_run(ledger, settings, run, outcome="completed", summary={"delivery": summary})
    told = ", ".join(f"{number} {name}" for name, number in summary.items())
    click.echo(f"Handed over: {told}; asked for the status of {asked}", err=True)
    click.echo(head, err=True)
    for line in _still_pending(settings, ledger):
        click.echo(f"Still pending: {line}", err=True)
    for failure in dispatcher.tally.failures:
        click.echo(f"Failed: {failure}", err=True)
    if dispatcher.refused is not None:
        raise CredentialsRefusedError(f"{dispatcher.refused}; what is pending is kept")


def _withdraw(ledger: Ledger, message_id: str, run: Run) -> None:
    """Suppress a message that is still pending: a test is of no use later."""
    now = runs.utc_now()
    with ledger.write() as connection:
        withdrawn = connection.execute(
            sa.update(messages)
            .where(messages.c.id == message_id, messages.c.state == MessageState.PENDING.value)
            .values(state=MessageState.SUPPRESSED.value, reason=_NOT_NOW, updated_at=now),
        ).rowcount
        if withdrawn:
            event = Event("message_suppressed", {"reason": _NOT_NOW}, message_id=message_id)
            events.append(connection, [event], at=now, run_id=run.id)


def _still_pending(settings: Settings, ledger: Ledger) -> Iterator[str]:
    """How many messages wait for each channel, and what the channel lacks."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(messages.c.channel, sa.func.count())
            .where(messages.c.state == MessageState.PENDING.value)
            .group_by(messages.c.channel)
            .order_by(messages.c.channel),
        ).all()
    for channel, number in rows:
        missing = settings.missing_for(channel)
        yield f"{number} by {channel}" + (f" ({missing} is not set)" if missing else "")
