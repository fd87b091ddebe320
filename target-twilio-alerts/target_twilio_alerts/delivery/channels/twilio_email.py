"""Email through Twilio Email, with the Twilio account's own credentials and plain `requests`."""

from __future__ import annotations

from email.utils import parseaddr
from html import escape
from typing import TYPE_CHECKING, Any

import requests

from target_twilio_alerts.delivery.channels.account import TwilioAccount
from target_twilio_alerts.delivery.channels.answers import (
    error_of_body,
    from_answer,
    from_exception,
    host_of,
    split_timeout,
)
from target_twilio_alerts.delivery.channels.http import PerThread, Session
from target_twilio_alerts.delivery.channels.outcome import (
    Accepted,
    CheckResult,
    NoStatus,
    Unclear,
)

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Unpack

    from target_twilio_alerts.delivery.channels.account import Login
    from target_twilio_alerts.delivery.channels.outcome import (
        Found,
        Outcome,
        Outgoing,
        StatusReport,
    )

COMMS_URL = "https://comms.twilio.com"


class TwilioEmailChannel(TwilioAccount):
    """Sends email from one Twilio account. Safe to use from several threads at once.

    Source: https://www.twilio.com/docs/email, POST /v1/Emails; Twilio publishes no OpenAPI document
    of it. There is no idempotency key, so nothing is ever retried here. The message's `sid` is the
    id of the operation that sends it.

    Args:
        email_from: The verified sender, "alerts@example.com" or "Acme Alerts <alerts@example.com>".
        email_url: Stands in for https://comms.twilio.com.
        login: How to reach the account.

    Raises:
        ValueError: A SID is malformed, or credentials or sender are missing; says which setting.
    """

    def __init__(
        self, *, email_from: str, email_url: str = COMMS_URL, **login: Unpack[Login]
    ) -> None:
        super().__init__(**login)
        name, address = parseaddr(email_from)
        if "@" not in address:
            raise ValueError("email_from is no email address: set it like alerts@example.com")
        self._sender = {"address": address, "name": name} if name else {"address": address}
        self._url = f"{email_url.rstrip('/')}/v1/Emails"
        self._host = host_of(email_url)
        self._sessions: PerThread[Session] = PerThread(Session, Session.close)

    def sender_of(self, to: str) -> str:  # noqa: ARG002 - the channels' interface
        """The address that emails come from."""
        return self._sender["address"]

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one email to Twilio, once. Never raises for what the network or Twilio does."""
        try:
            response = self._sessions.get().request(
                "POST",
                self._url,
                json=self._body(outgoing),
                # As an object, so that it is not replaced from a .netrc file.
                auth=requests.auth.HTTPBasicAuth(*self._credentials),
                timeout=split_timeout(self._timeout),
                allow_redirects=False,
            )
        except Exception as error:  # noqa: BLE001 - once it may have left, every failure has an outcome
            return from_exception(error, self._host)
        if response.status_code != requests.codes.accepted:
            code, message = error_of_body(response.text)
            return from_answer(
                response.status_code,
                host=self._host,
                code=code,
                message=message,
                headers=response.headers,
            )
        operation = _operation_of(response)
        if operation is None:
            return Unclear(
                f"{self._host} answered HTTP {response.status_code} without an operation id; "
                "it may have been sent"
            )
        request_id = response.headers.get("Twilio-Request-Id")
        return Accepted(sid=operation, status=None, request_id=request_id, segments=None)

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:  # noqa: ARG002 - the channels' interface
        """Say that there is none: the shape of an operation's answer is not published."""
        return NoStatus("Twilio Email's operations are not read", is_final=True)

    def find(self, to: str, *, since: datetime) -> list[Found] | NoStatus:  # noqa: ARG002 - the channels' interface
        """Say that there is no list of what was accepted."""
        return NoStatus("Twilio Email publishes no list", is_final=True)

    def check(self) -> list[CheckResult]:
        """Try the credentials; the sender is not looked up."""
        from target_twilio_alerts.delivery.channels.sms_check import (  # noqa: PLC0415 - an operator's command only
            check_twilio_email,
        )

        return check_twilio_email(self)

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._sessions.close()

    def _body(self, outgoing: Outgoing) -> dict[str, Any]:
        """Build the request; Twilio Email wants HTML, and no personal data stands in `tags`."""
        html = outgoing.html or "<p>" + escape(outgoing.text).replace("\n", "<br>") + "</p>"
        return {
            "from": self._sender,
            "to": [{"address": outgoing.to}],
            "content": {
                "subject": " ".join((outgoing.subject or "").split()) or "Alert",
                "html": html,
                "text": outgoing.text,
            },
            "tags": {"message_id": outgoing.message_id},
        }


def _operation_of(response: requests.Response) -> str | None:
    try:
        body = response.json()
    except ValueError:
        return None
    operation = body.get("operationId") if isinstance(body, dict) else None
    return operation if isinstance(operation, str) and operation else None
