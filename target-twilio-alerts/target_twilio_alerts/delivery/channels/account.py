"""What every channel through Twilio shares: the credentials, and a client for each thread."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypedDict

from target_twilio_alerts.delivery.channels.http import PerThread
from target_twilio_alerts.delivery.channels.outcome import CredentialsRefused, Found, NoStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Unpack

    from target_twilio_alerts.delivery.channels.twilio_client import TwilioClient

TWILIO_URL = "https://api.twilio.com"
MESSAGING_URL = "https://messaging.twilio.com"

PAGE_SIZE = 100
_MOST_LISTED = 500
_WHATSAPP = "whatsapp:"
_BY_API = "outbound-api"
"""Direction of what was asked for over the API: no answers, and no calls that a call has made.
Source: twilio-messages-calls.openapi.json, api.v2010.account.call and message_enum_direction."""


class _Sid(TypedDict):
    account_sid: str


class Login(_Sid, total=False):
    """How to reach one Twilio account.

    `account_sid` is AC and 32 hexadecimal digits; with it comes `auth_token`, or `api_key_sid` (SK
    and 32 digits) with `api_key_secret`. `base_url` and `messaging_url` stand in for Twilio's own,
    `timeout` is in seconds.
    """

    auth_token: str | None
    api_key_sid: str | None
    api_key_secret: str | None
    base_url: str
    messaging_url: str
    timeout: float


def is_sid(text: str, prefix: str) -> bool:
    """Tell whether `text` is a whole SID (34 characters), not just something that begins so."""
    return re.fullmatch(f"{prefix}[0-9a-fA-F]{{32}}", text) is not None


def require_sid(setting: str, value: str, prefix: str) -> None:
    """Refuse what is no SID.

    Raises:
        ValueError: It is none; names the setting.
    """
    if not is_sid(value or "", prefix):
        raise ValueError(
            f"{setting} is not a Twilio SID: it must be {prefix} and 32 hexadecimal digits, "
            "as shown in the Twilio Console"
        )


def credentials_of(login: Login) -> tuple[str, str]:
    """Return user name and password of the account.

    Raises:
        ValueError: A SID is malformed or credentials are missing; says which setting.
    """
    account_sid = login["account_sid"]
    require_sid("account_sid", account_sid, "AC")
    api_key_sid, api_key_secret = login.get("api_key_sid"), login.get("api_key_secret")
    if api_key_sid and api_key_secret:
        require_sid("api_key_sid", api_key_sid, "SK")
        return api_key_sid, api_key_secret
    auth_token = login.get("auth_token")
    if not auth_token:
        raise ValueError("no Twilio credentials: set auth_token, or api_key_sid and api_key_secret")
    return account_sid, auth_token


class TwilioAccount:
    """One Twilio account. Safe to use from several threads at once.

    Args:
        login: How to reach it.

    Raises:
        ValueError: A SID is malformed or credentials are missing; says which setting.
    """

    def __init__(self, **login: Unpack[Login]) -> None:
        self._credentials = credentials_of(login)
        self.account_sid = login["account_sid"]
        self.uses_api_key = self._credentials[0] != self.account_sid
        self._urls = (login.get("base_url", TWILIO_URL), login.get("messaging_url", MESSAGING_URL))
        self._timeout = login.get("timeout", 30.0)
        self._clients: PerThread[TwilioClient] = PerThread(self._new_client, _close)

    def client(self) -> TwilioClient:
        """Return this thread's Twilio client."""
        return self._clients.get()

    def listed(
        self, read: Callable[[TwilioClient], Iterable[Any]], since: datetime
    ) -> list[Found] | NoStatus:
        """What a list has of ours, newest first, down to a time: dates filter by the day at best.

        Args:
            read: Begins to read the list.
            since: The time.
        """
        client = self.client()
        found: list[Found] = []
        try:
            for one in read(client):
                if not isinstance(one.sid, str) or not isinstance(one.date_created, datetime):
                    return NoStatus("the list has an entry without SID or date", is_final=False)
                created_at = one.date_created.astimezone(timezone.utc)
                if created_at < since or len(found) == _MOST_LISTED:
                    break
                if one.direction in (None, _BY_API):
                    found.append(_found(one, created_at))
        except Exception as error:  # noqa: BLE001 - asking again later is the answer to every failure
            outcome = client.outcome_of(error)
            reason = getattr(outcome, "reason", "no reason given")
            return NoStatus(reason, is_final=isinstance(outcome, CredentialsRefused))
        return found

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _new_client(self) -> TwilioClient:
        from target_twilio_alerts.delivery.channels.twilio_client import (  # noqa: PLC0415 - costs 0.1 s, and most runs send nothing
            RoutedHttp,
            TwilioClient,
        )

        http = RoutedHttp(*self._urls, self._timeout)
        return TwilioClient(*self._credentials, self.account_sid, http)


def _found(one: Any, created_at: datetime) -> Found:
    """A message or a call of a list; the library has two names for what "from" says."""
    sender = getattr(one, "from_", None) or getattr(one, "_from", None)
    return Found(
        one.sid,
        one.status,
        created_at,
        text=getattr(one, "body", None),
        to=str(one.to).removeprefix(_WHATSAPP),
        sender=sender.removeprefix(_WHATSAPP) if isinstance(sender, str) else None,
        service=getattr(one, "messaging_service_sid", None) or None,
    )


def _close(client: TwilioClient) -> None:
    client.close()
