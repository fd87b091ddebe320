"""What a channel is given, and what it answers: one of five outcomes, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


@dataclass(frozen=True)
class Outgoing:
    """One attempt to hand over one rendered message.

    `to` is an E.164 number or an email address, `message_id` the ledger's own id of the attempt
    (it travels as a custom argument of an email), `status_callback` a URL for Twilio's callbacks.
    `content_sid` and `content_variables` (a JSON object as text) take the place of the text on
    WhatsApp. `locale` is the text's, in which a call reads it; `keypress_url` is told the key that
    is pressed in a call; `validity_seconds` is how long Twilio may keep an SMS before it leaves.
    """

    message_id: str
    channel: str
    to: str
    subject: str | None
    text: str
    html: str | None = None
    status_callback: str | None = None
    content_sid: str | None = None
    content_variables: str | None = None
    locale: str = "en"
    keypress_url: str | None = None
    validity_seconds: int | None = None


@dataclass(frozen=True)
class Accepted:
    """The provider took the message and gave it `sid`."""

    sid: str
    status: str | None
    request_id: str | None
    segments: int | None


@dataclass(frozen=True)
class Rejected:
    """A clear no about this message: it was not sent, and would not be on a second try."""

    code: int | str | None
    reason: str
    http_status: int


@dataclass(frozen=True)
class Postponed:
    """Surely not sent, through no fault of the message: safe to try again.

    `retry_after` is in seconds, as the provider asked; None if it did not say.
    """

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True)
class CredentialsRefused:
    """Surely not sent, and no other message would be: stop delivering until someone mends it."""

    reason: str


@dataclass(frozen=True)
class Unclear:
    """Nobody can say whether it was sent. Trying again could tell the recipient twice."""

    reason: str


Outcome = Accepted | Rejected | Postponed | CredentialsRefused | Unclear


@dataclass(frozen=True)
class StatusReport:
    """How far a handed-over message has come, in Twilio's words.

    Source: twilio-messages-calls.openapi.json, GET Messages/{Sid}.json and GET Calls/{Sid}.json.
    `status` is one of `message_enum_status` or `call_enum_status`; Twilio fills in `segments` and
    `price` some time later.
    """

    status: str
    error_code: int | str | None = None
    error_message: str | None = None
    segments: int | None = None
    price: Decimal | None = None
    price_unit: str | None = None


@dataclass(frozen=True)
class NoStatus:
    """Why a status, or a list, cannot be had: now, or (`is_final`) however often one asks."""

    reason: str
    is_final: bool


@dataclass(frozen=True)
class Found:
    """A message, or a call, in the provider's list of what it has accepted.

    `created_at` is the provider's time, in UTC; `text` is None of a call, and empty if it was
    redacted; `to` is a number. `sender` is a number or a name, and `service` a Messaging Service,
    where the list has them.
    """

    sid: str
    status: str | None
    created_at: datetime
    text: str | None = None
    to: str | None = None
    sender: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """One thing `check` looked at; `mend` says what to do when it is not `ok`."""

    ok: bool
    what: str
    mend: str | None = None


class Channel(Protocol):
    """A way to reach people. Safe to use from several threads at once."""

    def sender_of(self, to: str) -> str:
        """Who a message to somebody comes from."""
        ...

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one message over, once; never raises for what the network or provider does."""
        ...

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:
        """Ask how far a message has come."""
        ...

    def find(self, to: str, *, since: datetime) -> list[Found] | NoStatus:
        """List what was accepted for a recipient since then, as the provider knows it."""
        ...

    def check(self) -> list[CheckResult]:
        """Try the credentials and the sender without sending anything."""
        ...

    def close(self) -> None:
        """Close connections; the channel can be used again afterwards."""
        ...
