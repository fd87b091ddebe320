"""``twilio-alerts deliver | send-test | resend``: an operator's hand on the outbox."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from target_twilio_alerts import wiring
from target_twilio_alerts.audit.closing import end_run
from target_twilio_alerts.cli.workplace import masked, operator_name, told_in_one_line
from target_twilio_alerts.delivery.following import follow
from target_twilio_alerts.ledger import Event, MessageState, events, outbox, runs
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.ledger.tables import message_contents, messages
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.messages.kinds import KINDS, TEST
from target_twilio_alerts.notify.brake import priced
from target_twilio_alerts.notify.compose import created_event
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules.expressions import suggestion
from target_twilio_alerts.rules.model import CHANNELS
from target_twilio_alerts.session import CredentialsRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_twilio_alerts.cli.workplace import Workplace
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.settings import Settings

_RESENDABLE = {
    MessageState.REJECTED,
    MessageState.FAILED,
    MessageState.UNDELIVERED,
    MessageState.UNKNOWN,
    MessageState.SUPPRESSED,
}
_PATIENCE = 120
"""Seconds that a person's command delivers for, also where the target is told to leave earlier."""

_TEST = KINDS[TEST]
_NOT_NOW = "the test could not be handed over at once"

_TAKEN = {MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED}
"""The provider has it."""

_UNDER_WAY = {MessageState.PENDING, MessageState.CLAIMED, MessageState.SENDING}


@click.command()
@click.pass_obj
@told_in_one_line
def deliver(workplace: Workplace) -> None:
    """Hand over what is pending, and ask for the statuses of what was handed over."""
    with workplace.ledger() as ledger:
        run = _start(ledger, "deliver")
        _deliver(workplace, ledger, run)


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
        state = _send(workplace, _test_message(recipient, channel, address), command=_TEST)
        failed = failed or state not in _TAKEN
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


@click.command()
@click.argument("message_id")
@click.option(
    "--reason",
    required=True,
    callback=masked,
    help="Why it is sent again; kept in the audit trail.",
)
@click.option("--to", help="Another recipient of the alerts file, or an address.")
@click.pass_obj
@told_in_one_line
def resend(workplace: Workplace, message_id: str, *, reason: str, to: str | None) -> None:
    """Send MESSAGE_ID again, as a new attempt linked to the old one.

    It goes to the recipient's address as the alerts file has it now, so that a corrected number is
    used; the old attempt stays as it is.
    """
    if not reason.strip():
        raise click.ClickException("--reason is empty; say why the message is sent again")
    with workplace.ledger() as ledger:
        message = _next_attempt(workplace, ledger, message_id.upper(), reason=reason, to=to)
    if _send(workplace, message, command="resend") not in _TAKEN:
        raise click.exceptions.Exit(1)


def _next_attempt(
    workplace: Workplace,
    ledger: Ledger,
    message_id: str,
    *,
    reason: str,
    to: str | None,
) -> NewMessage:
    with ledger.read() as connection:
        old = connection.execute(
            sa.select(
                messages,
                message_contents.c.address,
                message_contents.c.subject,
                message_contents.c.text,
                message_contents.c.html,
                message_contents.c.content_sid,
                message_contents.c.content_variables,
                message_contents.c.erased_at,
            )
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .where(messages.c.id == message_id),
        ).first()
        if old is None:
            raise click.ClickException(
                f"no message {message_id} in the ledger; `twilio-alerts audit` lists them",
            )
        if old.erased_at is not None:
            raise click.ClickException(
                f"the text of message {message_id} was erased; it cannot be sent again",
            )
        state = MessageState(old.state)
        if state in _UNDER_WAY:
            raise click.ClickException(
                f"message {message_id} is still {state.value}; `twilio-alerts deliver` sends it",
            )
        recipient, address = _whom(workplace, old, to)
        if state not in _RESENDABLE and address == old.address:
            raise click.ClickException(
                f"message {message_id} is {state.value}: it did not fail; to tell somebody else, "
                "name them with --to",
            )
        attempts = connection.execute(
            sa.select(sa.func.max(messages.c.attempt)).where(
                messages.c.alert_id == old.alert_id,
                messages.c.recipient == recipient,
                messages.c.channel == old.channel,
                messages.c.place == old.place,
                messages.c.step == old.step,
            ),
        ).scalar()
    reference = short_id()

    def renamed(text: str | None) -> str | None:
        return None if text is None else text.replace(old.id, reference)

    return NewMessage(
        id=reference,
        alert_id=old.alert_id,
        recipient=recipient,
        channel=old.channel,
        address=address,
        subject=renamed(old.subject),
        text=renamed(old.text) or "",
        html=renamed(old.html),
        content_sid=old.content_sid,
        content_variables=renamed(old.content_variables),
        salt=secrets.token_hex(16),
        template=old.template,
        locale=old.locale,
        encoding=old.encoding,
        segments=old.segments,
        severity_rank=old.severity_rank,
        attempt=(attempts or 0) + 1,
        place=old.place,
        step=old.step,
        because=old.because,
        validity_seconds=old.validity_seconds,
        resend_of=old.id,
        resend_reason=reason,
        operator=operator_name(),
    )


def _whom(workplace: Workplace, old: sa.Row[Any], to: str | None) -> tuple[str, str]:
    """Name and address to send to: a recipient of the alerts file, or an address given by hand."""
    channel = old.channel
    pattern = r"[^@\s]+@[^@\s]+\.[^@\s]+" if channel == "email" else r"\+[1-9]\d{6,14}"
    if to is not None and re.fullmatch(pattern, to):
        return old.recipient, to
    name = to or old.recipient
    person = workplace.alerts.recipients.get(name)
    if person is None:
        raise click.ClickException(
            f"{name} is neither a recipient of the alerts file nor an address for {channel}; "
            + suggestion(name, workplace.alerts.recipients, "there are"),
        )
    addresses = person.addresses(channel)
    if not addresses:
        raise click.ClickException(f"recipient {name} has no address for {channel}; add one")
    return name, addresses[min(old.place, len(addresses)) - 1]


def _start(ledger: Ledger, command: str) -> Run:
    body = {"operator": operator_name()}
    return runs.start(ledger, command=command, version=wiring.version(), body=body)


def _send(workplace: Workplace, message: NewMessage, *, command: str) -> str:
    """Write a message, and deliver; gives the state that it is in then."""
    if missing := workplace.settings.missing_for(message.channel):
        raise click.ClickException(f"{missing} is not set, but {message.channel} needs it; set it")
    with workplace.ledger() as ledger:
        run = _start(ledger, command)
        now = runs.utc_now()
        with ledger.write() as connection:
            with_cost = priced(message, workplace.alerts.limits)
            outbox.add(connection, with_cost, at=now, run_id=run.id)
            events.append(connection, [created_event(message)], at=now, run_id=run.id)
        _deliver(workplace, ledger, run, withdraw=message.id if command == _TEST else None)
        with ledger.read() as connection:
            row = connection.execute(
                sa.select(messages.c.state, messages.c.sid, messages.c.reason).where(
                    messages.c.id == message.id,
                ),
            ).one()
    told = f"{message.id}: {row.state}"
    click.echo(" ".join([told, *(str(part) for part in (row.sid, row.reason) if part)]))
    return str(row.state)


def _deliver(
    workplace: Workplace,
    ledger: Ledger,
    run: Run,
    *,
    withdraw: str | None = None,
) -> None:
    """Hand over what is pending; the message ``withdraw`` is not kept if it did not leave."""
    settings = workplace.settings
    channels = wiring.build_channels(settings, wiring.configured_channels(settings))
    dispatcher = wiring.build_dispatcher(settings, ledger, channels, run)
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked = follow(ledger, channels, run=run)

    dispatcher.start()
    try:
        follow_up = FollowUp(
            ledger,
            workplace.alerts,
            Messages(settings.templates_dir),
            run=run,
            ask=ask,
            anchor_notify=settings.anchor_notify,
        )
        dispatcher.finish(
            deadline_seconds=max(settings.delivery_deadline_seconds, _PATIENCE),
            more=(follow_up.take, follow_up.ask_and_tell_failures),
        )
    except BaseException as error:
        dispatcher.stop()
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
