"""Who may ask: HTTP Basic with the account's token, an API key or the test credentials."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.errors import TwilioError

if TYPE_CHECKING:
    from starlette.requests import Request

_LOGINS = {
    credentials.ACCOUNT_SID: (credentials.AUTH_TOKEN, credentials.ACCOUNT_SID),
    credentials.API_KEY_SID: (credentials.API_KEY_SECRET, credentials.ACCOUNT_SID),
    credentials.TEST_ACCOUNT_SID: (credentials.TEST_AUTH_TOKEN, credentials.TEST_ACCOUNT_SID),
}
"""User name to (password, account)."""


def authenticate(request: Request) -> str:
    """Return the SID of the account the caller has logged in to.

    Raises:
        TwilioError: 20003 for anything but one of the three log-ins.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise TwilioError(20003)
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    expected, account = _LOGINS.get(user, ("", ""))
    if not account or not hmac.compare_digest(expected.encode(), password.encode()):
        raise TwilioError(20003)
    return account


def is_api_key(request: Request) -> bool:
    """Tell whether an authenticated caller used the API key: a standard key has fewer rights."""
    encoded = request.headers["authorization"].partition(" ")[2]
    return base64.b64decode(encoded).startswith(credentials.API_KEY_SID.encode())
