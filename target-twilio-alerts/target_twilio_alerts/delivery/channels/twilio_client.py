"""Twilio's library, made safe for sending: no retries, with timeouts, and aimed at any base URL.

Imported only when there is something to send, because it costs a tenth of a second.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from target_twilio_alerts.delivery.channels.answers import (
    error_of_body,
    from_answer,
    from_exception,
    host_of,
    split_timeout,
)
from target_twilio_alerts.delivery.channels.http import Freshness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio.http.response import Response  # type: ignore[import-untyped]

    from target_twilio_alerts.delivery.channels.outcome import Outcome

# At INFO the library logs query strings, and with them telephone numbers.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)


class RoutedHttp(TwilioHttpClient):  # type: ignore[misc] # the library has no types
    """The library's HTTP client with base URLs of ours and the last answer's headers kept.

    One for each thread: the library keeps the last response on the object and returns it from
    there, so threads that share a client can be given each other's answers.

    Args:
        base_url: Stands in for https://api.twilio.com.
        messaging_url: Stands in for https://messaging.twilio.com.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, base_url: str, messaging_url: str, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.timeout = split_timeout(timeout)
        self._bases = {"api": base_url.rstrip("/"), "messaging": messaging_url.rstrip("/")}
        self._freshness = Freshness(self.session)
        self.headers: Mapping[str, str] = {}
        self.status: int | None = None
        self.host = host_of(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send one request to the base URL that stands in for the library's."""
        parts = urlsplit(url)
        base = self._bases[(parts.hostname or "").partition(".")[0]]
        query = f"?{parts.query}" if parts.query else ""
        self.headers, self.status, self.host = {}, None, host_of(base)
        self._freshness.before_request()
        try:
            response = super().request(method, f"{base}{parts.path}{query}", *args, **kwargs)
        finally:
            self._freshness.after_request()
        self.headers, self.status = response.headers, response.status_code
        return response


class TwilioClient:
    """A Twilio client with its HTTP side in reach. Used by one thread."""

    def __init__(self, username: str, password: str, account_sid: str, http: RoutedHttp) -> None:
        self.http = http
        # An environment of our own, so that TWILIO_EDGE and the like do not change the host.
        self.api = Client(
            username, password, account_sid, http_client=http, environment={"TWILIO_EDGE": ""}
        )

    def outcome_of(self, error: Exception) -> Outcome:
        """Decide what an exception of the library, or below it, means for the message."""
        http = self.http
        if isinstance(error, TwilioException) and http.status is not None:
            code, message = _words(error)
            return from_answer(
                http.status, host=http.host, code=code, message=message, headers=http.headers
            )
        return from_exception(error, http.host)

    def close(self) -> None:
        """Close the connections."""
        self.http.session.close()


def _words(error: TwilioException) -> tuple[int | str | None, str]:
    """Read the code and the message of any of the library's three kinds of exception."""
    if isinstance(error, TwilioRestException):
        return error.code, error.msg
    if isinstance(error, TwilioServiceException):
        return error.code, f"{error.title}: {error.detail}" if error.detail else error.title
    # A list that fails raises the plain base class with the response as its second argument.
    response = error.args[1] if len(error.args) > 1 else None
    return error_of_body(getattr(response, "text", ""))
