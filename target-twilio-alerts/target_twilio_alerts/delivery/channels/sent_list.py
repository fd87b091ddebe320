"""What Twilio itself lists as sent to an address, to be held against what the ledger says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from target_twilio_alerts.delivery.channels.account import TwilioAccount

LISTED_CHANNELS = ("sms", "whatsapp", "voice")
"""Channels of which the provider has a list."""

_PAGE = 200


class ListError(Exception):
    """The list could not be read; the text says why."""


@dataclass(frozen=True)
class Listed:
    """One message or call as Twilio lists it."""

    sid: str
    status: str
    created_at: datetime


def sent_to(
    account: TwilioAccount, channel: str, address: str, *, since: datetime, until: datetime
) -> list[Listed]:
    """What Twilio has from us to an address, made between two moments.

    Twilio's own filter is by when a message was sent, which is not known of one that waits; so all
    to the address are read, newest first, as far back as needed.

    Raises:
        ListError: The list could not be read.
    """
    client = account.client()
    try:
        return list(_between(_all_to(client.api, channel, address), since, until))
    except Exception as error:  # noqa: BLE001 - the library raises of many kinds; none is ours
        reason = str(getattr(client.outcome_of(error), "reason", "no reason given"))
        reason = reason.partition("; it may have been sent")[0]
        raise ListError(f"Twilio's list could not be read: {reason}") from None


def _all_to(api: Any, channel: str, address: str) -> Iterator[Any]:
    if channel == "voice":
        yield from api.calls.stream(to=address, page_size=_PAGE)
        return
    to = f"whatsapp:{address}" if channel == "whatsapp" else address
    yield from api.messages.stream(to=to, page_size=_PAGE)


def _between(found: Iterator[Any], since: datetime, until: datetime) -> Iterator[Listed]:
    for one in found:
        if one.date_created < since:
            return
        if one.date_created <= until and one.direction == "outbound-api":
            yield Listed(one.sid, one.status, one.date_created)
