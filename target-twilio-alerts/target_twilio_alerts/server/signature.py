"""Requests that Twilio has signed: over our public URL, whatever the request says of its host.

Source: https://www.twilio.com/docs/usage/security#validating-requests. There is no time in what is
signed, so the same request may come again; whoever takes it must do nothing a second time.
"""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from twilio.request_validator import (  # type: ignore[import-untyped]
    SIGNATURE_HEADER,
    RequestValidator,
)

from target_twilio_alerts.server.bodies import read_form

if TYPE_CHECKING:
    from starlette.requests import Request

    from target_twilio_alerts.server.bodies import Form

_MOST = 64 * 1024


class TwilioSignature:
    """Reads what Twilio sends, and refuses what others send.

    Args:
        public_url: Where Twilio reaches us; a proxy in between may take its path away, or not.
        account_sid: The account that all of it must be of.
        auth_token: The account's.
    """

    def __init__(self, *, public_url: str, account_sid: str, auth_token: str) -> None:
        self._public_url = public_url
        self._path = urlsplit(public_url).path
        self._account_sid = account_sid
        self._validator = RequestValidator(auth_token)

    async def form(self, request: Request) -> Form:
        """The fields that Twilio sent.

        Raises:
            HTTPException: It is not from Twilio, of another account, or no form.
        """
        form = await read_form(request, most=_MOST)
        if not self._is_signed(request, form):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        account = form.getlist("AccountSid")
        if len(account) != 1 or not hmac.compare_digest(
            account[0].encode(), self._account_sid.encode()
        ):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return form

    def _is_signed(self, request: Request, form: Form) -> bool:
        given = request.headers.get(SIGNATURE_HEADER, "")
        return given.isascii() and any(
            self._validator.validate(url, form, given) for url in self._signed_urls(request)
        )

    def _signed_urls(self, request: Request) -> list[str]:
        """What Twilio may have been given: never by Host, nor by what a proxy says of it."""
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        paths = [path]
        if self._path and path.startswith(f"{self._path}/"):
            paths.append(path[len(self._path) :])
        return [f"{self._public_url}{one}{'?' if query else ''}{query}" for one in paths]
