"""Email through SendGrid's v3 API, with plain `requests`."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

import requests
from requests.auth import AuthBase

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
    Rejected,
    Unclear,
)

if TYPE_CHECKING:
    from datetime import datetime

    from requests import PreparedRequest, Response

    from target_twilio_alerts.delivery.channels.outcome import (
        Found,
        Outcome,
        Outgoing,
        StatusReport,
    )

SENDGRID_URL = "https://api.sendgrid.com"

_NO_TRACKING = {
    name: {"enable": False} for name in ("click_tracking", "open_tracking", "subscription_tracking")
}
"""Tracking would rewrite links and tell an outsider when finance reads what."""


class EmailChannel:
    """Sends email from one SendGrid account. Safe to use from several threads at once.

    Source: sendgrid-mail-v3.openapi.json, POST /v3/mail/send. There is no idempotency key, so
    nothing is ever retried here. The message's `sid` is SendGrid's X-Message-Id.

    Args:
        api_key: Begins with "SG.".
        email_from: The verified sender, "alerts@example.com" or "Acme Alerts <alerts@example.com>".
        base_url: https://api.sendgrid.com, or https://api.eu.sendgrid.com for EU subusers.
        timeout: Seconds to wait for an answer.

    Raises:
        ValueError: The key or the sender is missing or malformed; says which setting.
    """

    def __init__(
        self,
        *,
        api_key: str,
        email_from: str,
        base_url: str = SENDGRID_URL,
        timeout: float = 30.0,
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("sendgrid_api_key is empty or has characters no key has")
        name, address = parseaddr(email_from)
        if "@" not in address:
            raise ValueError("email_from is no email address: set it like alerts@example.com")
        self._sender = {"email": address, "name": name} if name else {"email": address}
        self._auth = _Bearer(api_key)
        self._base = base_url.rstrip("/")
        self._host = host_of(base_url)
        self._timeout = split_timeout(timeout)
        self._clients: PerThread[Session] = PerThread(Session, Session.close)

    def sender_of(self, to: str) -> str:  # noqa: ARG002 - the channels' interface
        """The address that emails come from."""
        return self._sender["email"]

    def send(self, outgoing: Outgoing) -> Outcome:
        """Hand one email to SendGrid, once. Never raises for what the network or SendGrid does."""
        try:
            response = self._request("POST", "/v3/mail/send", json=self._body(outgoing))
        except Exception as error:  # noqa: BLE001 - once it may have left, every failure has an outcome
            return from_exception(error, self._host)
        if response.status_code not in (requests.codes.ok, requests.codes.accepted):
            return self._refusal(response)
        sid = response.headers.get("X-Message-Id")
        if not sid:
            return Unclear(
                f"{self._host} answered HTTP {response.status_code} without a message id; "
                "it may have been sent"
            )
        return Accepted(sid=sid, status=None, request_id=None, segments=None)

    def fetch_status(self, sid: str) -> StatusReport | NoStatus:  # noqa: ARG002 - the channels' interface
        """Say that there is none: SendGrid tells what became of an email by webhook only."""
        return NoStatus("SendGrid tells statuses by webhook only", is_final=True)

    def find(self, to: str, *, since: datetime) -> list[Found] | NoStatus:  # noqa: ARG002 - the channels' interface
        """Say that there is no list of what was accepted."""
        return NoStatus("SendGrid keeps no list that can be asked", is_final=True)

    def check(self) -> list[CheckResult]:
        """Try the API key and its right to send, without sending anything."""
        key = "create a key with the permission Mail Send and set sendgrid_api_key"
        try:
            response = self._request("GET", "/v3/scopes")
            scopes = response.json().get("scopes") if response.ok else None
        except Exception as error:  # noqa: BLE001 - whatever fails is the result of the check
            reason = from_exception(error, self._host).reason
            return [CheckResult(False, f"SendGrid: {reason}", "check sendgrid_api_url and network")]
        if not response.ok:
            code, words = error_of_body(response.text)
            found = f"HTTP {response.status_code} {words or code or ''}".strip()
            return [CheckResult(False, f"SendGrid API key refused: {found}", key)]
        if not isinstance(scopes, list) or "mail.send" not in scopes:
            return [CheckResult(False, "the SendGrid API key may not send email", key)]
        return [CheckResult(True, "SendGrid API key is valid and may send email")]

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _body(self, outgoing: Outgoing) -> dict[str, Any]:
        """Build the request of POST /v3/mail/send; no personal data in `custom_args`."""
        content = [{"type": "text/plain", "value": outgoing.text}]
        if outgoing.html:
            content.append({"type": "text/html", "value": outgoing.html})
        return {
            "personalizations": [
                {
                    "to": [{"email": outgoing.to}],
                    "custom_args": {"message_id": outgoing.message_id},
                }
            ],
            "from": self._sender,
            # SendGrid refuses an empty subject.
            "subject": " ".join((outgoing.subject or "").split()) or "Alert",
            "content": content,
            "tracking_settings": _NO_TRACKING,
        }

    def _request(self, method: str, path: str, **kwargs: Any) -> Response:
        return self._clients.get().request(
            method,
            self._base + path,
            auth=self._auth,
            timeout=self._timeout,
            allow_redirects=False,
            **kwargs,
        )

    def _refusal(self, response: Response) -> Outcome:
        field, message = error_of_body(response.text)
        outcome = from_answer(
            response.status_code,
            host=self._host,
            code=None,
            message=f"{field}: {message}" if field else message,
            headers=response.headers,
        )
        return (
            Rejected(field, outcome.reason, outcome.http_status)
            if isinstance(outcome, Rejected)
            else outcome
        )


class _Bearer(AuthBase):
    """Puts the API key in the header; being an `auth`, it is not replaced from a .netrc file."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request
