"""SMS through Twilio's Messages API: hand over once, ask for the status, check the set-up."""

from __future__ import annotations

import logging
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels.http import PerThread
from target_twilio_alerts.delivery.channels.outcome import (
    Accepted,
    NoStatus,
    StatusReport,
    Unclear,
)

if TYPE_CHECKING:
    from target_twilio_alerts.delivery.channels.outcome import CheckResult, Outcome, Outgoing
    from target_twilio_alerts.delivery.channels.twilio_client import TwilioClient

logger = logging.getLogger(__name__)

TWILIO_URL = "https://api.twilio.com"
MESSAGING_URL = "https://messaging.twilio.com"

_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")


def is_sid(text: str, prefix: str) -> bool:
    """Tell whether `text` is a whole SID (34 characters), not just something that begins so."""
    return re.fullmatch(f"{prefix}[0-9a-fA-F]{{32}}", text) is not None


_NOT_FOUND = 404


class SmsChannel:
    """Sends SMS from one Twilio account. Safe to use from several threads at once.

    Source: twilio-messages-calls.openapi.json, POST and GET /2010-04-01/Accounts/{AccountSid}/
    Messages.json. There is no idempotency key, so nothing is ever retried here.

    Args:
        account_sid: AC and 32 hexadecimal digits.
        auth_token: The account's token; or else both of the next.
        api_key_sid: SK and 32 hexadecimal digits.
        api_key_secret: The key's secret.
        from_number: The sender: a number, short code or alphanumeric sender ID; or else
        messaging_service_sid: MG and 32 hexadecimal digits; it wins if both are given.
        base_url: Stands in for https://api.twilio.com.
        messaging_url: Stands in for https://messaging.twilio.com.
        timeout: Seconds to wait for an answer.

    Raises:
        ValueError: A SID is malformed, or credentials or sender are missing; says which setting.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str | None = None,
        api_key_sid: str | None = None,
        api_key_secret: str | None = None,
        from_number: str | None = None,
        messaging_service_sid: str | None = None,
        base_url: str = TWILIO_URL,
        messaging_url: str = MESSAGING_URL,
        timeout: float = 30.0,
    ) -> None:
        _require_sid("account_sid", account_sid, "AC")
        if api_key_sid and api_key_secret:
            _require_sid("api_key_sid", api_key_sid, "SK")
            self._login = (api_key_sid, api_key_secret)
        elif auth_token:
            self._login = (account_sid, auth_token)
        else:
            raise ValueError(
                "no Twilio credentials: set auth_token, or api_key_sid and api_key_secret"
            )
        if messaging_service_sid:
            _require_sid("messaging_service_sid", messaging_service_sid, "MG")
        elif not from_number:
            raise ValueError("no SMS sender: set from_number or messaging_service_sid")
        self.account_sid = account_sid
        self.messaging_service_sid = messaging_service_sid or None
        self.from_number = None if messaging_service_sid else from_number
        self.uses_api_key = self._login[0] != account_sid
        self._urls = (base_url, messaging_url)
        self._timeout = timeout
        self._clients: PerThread[TwilioClient] = PerThread(self._new_client, _close)

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one message to Twilio, once. Never raises for what the network or Twilio does."""
        client = self.client()
        try:
            message = client.api.messages.create(**self._fields(outgoing))
        except Exception as error:  # noqa: BLE001 - once it may have left, every failure has an outcome
            return client.outcome_of(error)
        return _accepted(message, client)

    def _fields(self, outgoing: Outgoing) -> dict[str, str]:
        """Name what the library's `create` is given."""
        fields = {"to": outgoing.to, "body": outgoing.text}
        if self.messaging_service_sid:
            fields["messaging_service_sid"] = self.messaging_service_sid
        elif self.from_number:
            fields["from_"] = self.from_number
        if outgoing.status_callback:
            fields["status_callback"] = outgoing.status_callback
        return fields

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:
        """Ask how far message `sid` has come."""
        client = self.client()
        try:
            message = client.api.messages(sid).fetch()
        except Exception as error:  # noqa: BLE001 - asking again later is the answer to every failure
            status = getattr(error, "status", None)
            reason = getattr(client.outcome_of(error), "reason", "no reason given")
            return NoStatus(reason, is_final=status == _NOT_FOUND)
        if not isinstance(message.status, str):
            return NoStatus("the answer has no status", is_final=False)
        code = message.error_code
        return StatusReport(
            status=message.status,
            error_code=code if isinstance(code, int) else None,
            error_message=message.error_message,
            segments=_positive(message.num_segments),
            price=_price(message.price),
            price_unit=message.price_unit,
        )

    def check(self) -> list[CheckResult]:
        """Try the credentials, then the sender, without sending anything."""
        from target_twilio_alerts.delivery.channels.sms_check import (  # noqa: PLC0415 - an operator's command only
            check_sms,
        )

        return check_sms(self)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def client(self) -> TwilioClient:
        """Return this thread's Twilio client."""
        return self._clients.get()

    def _new_client(self) -> TwilioClient:
        from target_twilio_alerts.delivery.channels.twilio_client import (  # noqa: PLC0415 - costs 0.1 s, and most runs send nothing
            RoutedHttp,
            TwilioClient,
        )

        http = RoutedHttp(*self._urls, self._timeout)
        return TwilioClient(*self._login, self.account_sid, http)


def _close(client: TwilioClient) -> None:
    client.close()


def _require_sid(setting: str, value: str, prefix: str) -> None:
    if not is_sid(value or "", prefix):
        raise ValueError(
            f"{setting} is not a Twilio SID: it must be {prefix} and 32 hexadecimal digits, "
            "as shown in the Twilio Console"
        )


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


def _price(text: Any) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
