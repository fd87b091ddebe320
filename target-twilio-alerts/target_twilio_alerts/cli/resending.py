"""What `resend` would send: a new attempt for each message, or why there is none."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from target_twilio_alerts.ledger import MessageState, opt_outs, resends
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.messages import links, mask_words
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.opt_outs import OptOuts
    from target_twilio_alerts.ledger.resends import Selection
    from target_twilio_alerts.rules import Alerts

_UNDER_WAY = {MessageState.PENDING, MessageState.CLAIMED, MessageState.SENDING}
_PATTERNS = {"email": r"[^@\s]+@[^@\s]+\.[^@\s]+"}
_NUMBER = r"\+[1-9]\d{6,14}"


@dataclass(frozen=True)
class Wish:
    """What an operator wants to be sent again.

    Attributes:
        selection: Which messages.
        to: Another recipient of the alerts file, or an address.
        again: Whether what has been sent again already is sent once more.
        reason: Why.
        by: Who wants it.
    """

    selection: Selection
    to: str | None
    again: bool
    reason: str
    by: str


@dataclass(frozen=True)
class Planned:
    """What becomes of one message.

    Attributes:
        old: The message.
        attempt: The new attempt; None if there is none.
        refusal: Why there is none.
    """

    old: sa.Row[Any]
    attempt: NewMessage | None
    refusal: str | None = None


def plan(connection: Connection, alerts: Alerts, wish: Wish) -> list[Planned]:
    """What becomes of each message that is wanted.

    Raises:
        click.ClickException: One that was named is not there.
    """
    rows = resends.find(connection, wish.selection)
    missing = sorted(set(wish.selection.ids) - {row.id for row in rows})
    if missing:
        raise click.ClickException(
            f"no message {', '.join(missing)} in the ledger; `twilio-alerts audit` lists them",
        )
    attempts = resends.Attempts(connection)
    left = opt_outs.load(connection)
    # Of attempts to tell the same, the newest alone: one telling is wanted, not one for each.
    newest = {attempts.first_of(row.id): row.id for row in rows}
    planned: list[Planned] = []
    told: set[tuple[str | None, str, str]] = set()
    for old in rows:
        try:
            recipient, address = _whom(alerts, old, wish.to)
            _refuse(old, address, attempts, wish)
            _refuse_others(old, address, newest[attempts.first_of(old.id)], left)
            _refuse_twice(old, address, told)
        except _Refused as refused:
            planned.append(Planned(old, None, str(refused)))
        else:
            number = resends.next_attempt(connection, old, recipient)
            planned.append(Planned(old, _attempt(old, recipient, address, number, wish)))
    return planned


def refusals(planned: list[Planned]) -> Iterator[str]:
    """What is not sent again, and why."""
    for one in planned:
        if one.refusal is not None:
            yield f"message {one.old.id}: {one.refusal}"


def warnings(planned: list[Planned]) -> Iterator[str]:
    """What an operator must know of what is sent again."""
    for one in planned:
        if one.attempt is not None and one.old.state == MessageState.UNKNOWN.value:
            yield (
                f"message {one.old.id} is unknown: it may have been sent, and whoever got it is "
                "told twice"
            )


class _Refused(Exception):  # noqa: N818 - it says what came of it
    """A message is not sent again."""


def _refuse(old: sa.Row[Any], address: str, attempts: resends.Attempts, wish: Wish) -> None:
    """Say why a message is not sent again, if it is not."""
    if old.erased_at is not None:
        raise _Refused("its text was erased; it cannot be sent again")
    state = MessageState(old.state)
    if state in _UNDER_WAY:
        raise _Refused(f"it is still {state.value}; `twilio-alerts deliver` sends it")
    if state not in resends.RESENDABLE and address == old.address:
        raise _Refused(
            f"it is {state.value}: it did not fail; to tell somebody else, name them with --to"
        )
    later = None if wish.again else attempts.later_told(old.id, old.created_at)
    if later is not None:
        raise _Refused(
            f"{later.operator} sent it again as {later.id}, which is {later.state}; --again sends "
            "it all the same"
        )


def _refuse_others(old: sa.Row[Any], address: str, newest: str, left: OptOuts) -> None:
    """Say whether another attempt goes instead, or whom it is to tell wants none."""
    if newest != old.id:
        raise _Refused(f"{newest}, a later attempt to tell the same, is sent again instead")
    if left.of(old.channel, address) is not None:
        raise _Refused(
            f"who has this address opted out of {old.channel}; tell them another way, or see "
            "`opt-outs clear`"
        )


def _refuse_twice(old: sa.Row[Any], address: str, told: set[tuple[str | None, str, str]]) -> None:
    """Say whether an address is told of the same alert already; it is from now on."""
    telling = (old.alert_id, old.channel, address)
    if old.alert_id is not None and telling in told:
        raise _Refused("another message of the same alert goes to that address already")
    told.add(telling)


def _whom(alerts: Alerts, old: sa.Row[Any], to: str | None) -> tuple[str, str]:
    """Name and address to send to: a recipient of the alerts file, or an address given by hand."""
    channel = old.channel
    if to is not None and re.fullmatch(_PATTERNS.get(channel, _NUMBER), to):
        return old.recipient, to
    name = to or old.recipient
    person = alerts.recipients.get(name)
    if person is None:
        raise _Refused(
            f"{mask_words(name)} is neither a recipient of the alerts file nor an address for "
            f"{channel}; " + suggestion(name, alerts.recipients, "there are"),
        )
    addresses = person.addresses(channel)
    if not addresses:
        raise _Refused(f"recipient {name} has no address for {channel}; add one")
    return name, addresses[min(old.place, len(addresses)) - 1]


def _attempt(old: sa.Row[Any], recipient: str, address: str, number: int, wish: Wish) -> NewMessage:
    reference, drawn = short_id(), links.draw()

    def renamed(text: str | None) -> str | None:
        if text is None:
            return None
        # Whoever has the old link must not know the new one.
        return links.redrawn(text.replace(old.id, reference), reference, drawn)

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
        attempt=number,
        place=old.place,
        step=old.step,
        because=old.because,
        validity_seconds=old.validity_seconds,
        resend_of=old.id,
        resend_reason=wish.reason,
        operator=wish.by,
    )
