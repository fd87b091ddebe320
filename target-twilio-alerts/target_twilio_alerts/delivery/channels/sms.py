"""SMS through Twilio's Messages API: hand over once, ask for the status, check the set-up."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels.account import (
    PAGE_SIZE,
    TwilioAccount,
    is_sid,
    require_sid,
)
from target_twilio_alerts.delivery.channels.outcome import (
    Accepted,
    NoStatus,
    StatusReport,
    Unclear,
)
from target_twilio_alerts.delivery.channels.senders import Senders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from typing_extensions import Unpack

    from target_twilio_alerts.delivery.channels.account import Login
    from target_twilio_alerts.delivery.channels.outcome import CheckResult, Found, Outcome, Outgoing
    from target_twilio_alerts.delivery.channels.twilio_client import TwilioClient

MAX_VALIDITY_SECONDS = 36_000
"""Source: twilio-messages-calls.openapi.json, CreateMessageRequest, ValidityPeriod."""

_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")

NOT_FOUND = 404


class SmsChannel(TwilioAccount):
    """Sends SMS from one Twilio account. Safe to use from several threads at once.

    Source: twilio-messages-calls.openapi.json, POST and GET /2010-04-01/Accounts/{AccountSid}/
    Messages.json. There is no idempotency key, so nothing is ever retried here.

    Args:
        from_number: The sender: a number, short code or alphanumeric sender ID; or else
        messaging_service_sid: MG and 32 hexadecimal digits; it wins if both are given.
        senders: Senders of either kind for recipients in some countries, such as "SE".
        login: How to reach the account.

    Raises:
        ValueError: A SID is malformed, or credentials or sender are missing; says which setting.
    """

    def __init__(
        self,
        *,
        from_number: str | None = None,
        messaging_service_sid: str | None = None,
        senders: Mapping[str, str] | None = None,
        **login: Unpack[Login],
    ) -> None:
        super().__init__(**login)
        if messaging_service_sid:
            require_sid("messaging_service_sid", messaging_service_sid, "MG")
        default = messaging_service_sid or from_number
        if not default:
            raise ValueError("no SMS sender: set from_number or messaging_service_sid")
        self.senders = Senders(default, senders)

    def sender_of(self, to: str) -> str:
        """The number, name or Messaging Service that an SMS to a number comes from."""
        return self.senders.of(to)

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one message to Twilio, once. Never raises for what the network or Twilio does."""
        client = self.client()
        try:
            message = client.api.messages.create(**self._fields(outgoing))
        except Exception as error:  # noqa: BLE001 - once it may have left, every failure has an outcome
            return client.outcome_of(error)
        return _accepted(message, client)

    def _fields(self, outgoing: Outgoing) -> dict[str, str | int]:
        """Name what the library's `create` is given."""
        fields: dict[str, str | int] = {"to": self._to(outgoing.to), "body": outgoing.text}
        sender = self.sender_of(outgoing.to)
        fields["messaging_service_sid" if is_sid(sender, "MG") else "from_"] = sender
        if outgoing.status_callback:
            fields["status_callback"] = outgoing.status_callback
        if outgoing.validity_seconds is not None:
            # Clocks of two computers may differ, and Twilio refuses a second too much.
            fields["validity_period"] = min(outgoing.validity_seconds, MAX_VALIDITY_SECONDS)
        return fields

    @staticmethod
    def _to(number: str) -> str:
        """A recipient, as the API names it."""
        return number

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:
        """Ask how far message `sid` has come."""
        client = self.client()
        try:
            message = client.api.messages(sid).fetch()
        except Exception as error:  # noqa: BLE001 - asking again later is the answer to every failure
            status = getattr(error, "status", None)
            reason = getattr(client.outcome_of(error), "reason", "no reason given")
            return NoStatus(reason, is_final=status == NOT_FOUND)
        if not isinstance(message.status, str):
            return NoStatus("the answer has no status", is_final=False)
        code = message.error_code
        return StatusReport(
            status=message.status,
            error_code=code if isinstance(code, int) else None,
            error_message=message.error_message,
            segments=_positive(message.num_segments),
            price=read_price(message.price),
            price_unit=message.price_unit,
        )

    def find(self, to: str, *, since: datetime) -> list[Found] | NoStatus:
        """List the messages that Twilio has accepted for a number since then.

        Source: twilio-messages-calls.openapi.json, ListMessage: DateSent filters by days, and is
        null of what has not left; so the time is compared here.
        """
        to = self._to(to)
        return self.listed(
            lambda client: client.api.messages.stream(to=to, page_size=PAGE_SIZE), since
        )

    def find_all(self, *, since: datetime) -> list[Found] | NoStatus:
        """List the messages of the account since then, to whomever and over SMS or WhatsApp."""
        return self.listed(lambda client: client.api.messages.stream(page_size=PAGE_SIZE), since)

    def check(self) -> list[CheckResult]:
        """Try the credentials, then the sender, without sending anything."""
        from target_twilio_alerts.delivery.channels.sms_check import (  # noqa: PLC0415 - an operator's command only
            check_sms,
        )

        return check_sms(self)


def _accepted(message: Any, client: TwilioClient) -> Accepted | Unclear:
    """Take Twilio's answer to a create for what it says; without a SID it says nothing."""
    sid = message.sid
    if not isinstance(sid, str) or not _MESSAGE_SID.fullmatch(sid):
        return Unclear(
            f"{client.http.host} answered HTTP {client.http.status} without a message SID; "
            "it may have been sent"
        )
    return Accepted(
        sid=sid,
        status=message.status if isinstance(message.status, str) else None,
        request_id=client.http.headers.get("Twilio-Request-Id"),
        segments=_positive(message.num_segments),
    )


def _positive(text: Any) -> int | None:
    """Read `num_segments`: a string, "0" as long as a Messaging Service has not counted them."""
    return int(text) or None if isinstance(text, (str, int)) and str(text).isdecimal() else None


def read_price(text: Any) -> Decimal | None:
    """Read `price`: a string, or null until Twilio has settled it."""
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
