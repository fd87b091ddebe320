"""Decides what an HTTP answer, or the lack of one, says about a message that was to be sent."""

from __future__ import annotations

import json
import math
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.delivery.channels.outcome import (
    CredentialsRefused,
    Postponed,
    Rejected,
    Unclear,
)
from target_twilio_alerts.messages.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_twilio_alerts.delivery.channels.outcome import Outcome

CONNECT_SECONDS = 10.0
"""A connection that takes longer than this to open is given up; the request has not left."""

_ACCOUNT_CODES = frozenset({10001, 20003, 20404, 30002, 90010})
"""Twilio's codes for an account that cannot send at all, whoever the recipient is."""

_MESSAGE_CODES = range(21000, 100000)
"""Twilio's codes about one message; 20000 to 20999 are about the request and the account."""

_MISCONFIGURED = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
)

_REASON_LENGTH = 300

_TUNNEL_REFUSED = "Tunnel connection failed"
"""Begins the error of a proxy that answers CONNECT with a no. Source: http.client of Python."""


def split_timeout(seconds: float) -> tuple[float, float]:
    """Return the (connect, read) timeouts for a setting of `seconds`."""
    return min(CONNECT_SECONDS, seconds), seconds


def host_of(url: str) -> str:
    """Return the part of a URL that may stand in a reason: no path, query or password."""
    parts = urlsplit(url)
    return parts.hostname or "the provider"


def from_exception(error: Exception, host: str) -> Postponed | CredentialsRefused | Unclear:
    """Decide whether a request that raised surely never left.

    Only a failure before the connection stood proves that. A connection that broke later, even
    an old one the server had already closed, may have carried the request.
    """
    if isinstance(error, _MISCONFIGURED):
        return CredentialsRefused(
            "the request could not be made: check the API URL and the credentials in the settings"
        )
    before = _before_connection(error, host)
    if before:
        return Postponed(before)
    if isinstance(error, requests.exceptions.Timeout):
        return Unclear(f"no answer from {host} in time; it may have been sent")
    if isinstance(error, requests.exceptions.ConnectionError):
        return Unclear(f"the connection to {host} broke before the answer; it may have been sent")
    return Unclear(
        f"the answer of {host} could not be read ({type(error).__name__}); it may have been sent"
    )


def _before_connection(error: Exception, host: str) -> str | None:
    """Say why there was no connection; None if there may have been one."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no connection to {host} in time"
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return f"the TLS certificate of {host} cannot be verified"
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    if isinstance(reason, ProxyError):
        return _before_proxy(reason.original_error)
    if isinstance(reason, NameResolutionError):
        return f"the name {host} cannot be resolved"
    if isinstance(reason, NewConnectionError):
        return f"no connection to {host}"
    return None


def _before_proxy(error: Exception) -> str | None:
    """Say that a proxy was not reached, or did not open a connection; None if it may have.

    A connection through a proxy that breaks before the answer is an error of the proxy's too.
    """
    if isinstance(error, (NewConnectionError, ConnectTimeoutError)):
        return "the HTTP proxy cannot be reached"
    if isinstance(error, OSError) and str(error).startswith(_TUNNEL_REFUSED):
        return "the HTTP proxy does not open the connection"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an exception, what it wraps, and what it was raised from."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and not any(cause is other for other in seen):
            seen.append(cause)
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
            waiting += cause.args


def from_answer(  # noqa: PLR0911 - one line for each kind of answer reads best
    status: int,
    *,
    host: str,
    code: int | str | None,
    message: str,
    headers: Mapping[str, str],
) -> Outcome:
    """Decide what a clear answer other than success means for the message.

    Args:
        status: The HTTP status.
        host: Who answered.
        code: The provider's own error code, if it gave one.
        message: The provider's words; telephone numbers in them are masked here.
        headers: Of the answer; case does not matter if the mapping says so.
    """
    reason = describe(status, host=host, code=code, message=message)
    if status == requests.codes.too_many_requests:
        return Postponed(reason, retry_after_seconds(headers))
    if status >= requests.codes.server_error or status == requests.codes.request_timeout:
        return Unclear(f"{reason}; it may have been sent")
    if code in _ACCOUNT_CODES or status == requests.codes.unauthorized:
        return CredentialsRefused(reason)
    about_message = isinstance(code, int) and code in _MESSAGE_CODES
    if status in (requests.codes.forbidden, requests.codes.not_found) and not about_message:
        return CredentialsRefused(reason)
    if status in (301, 302, 307, 308):
        return CredentialsRefused(f"{reason}: a redirect; check the API URL in the settings")
    if requests.codes.bad_request <= status < requests.codes.server_error:
        return Rejected(code, reason, status)
    return Unclear(f"{reason}; it may have been sent")


def describe(status: int, *, host: str, code: int | str | None, message: str) -> str:
    """Say in one line what came back, in plain words where the code is known."""
    known = explain(code)
    if known:
        return f"{known.meaning} (error {code}, HTTP {status}): {known.mend}"
    words = mask_text(" ".join(message.split()))[:_REASON_LENGTH]
    error = f"error {code}, HTTP {status}" if code not in (None, status) else f"HTTP {status}"
    return f"{host} answered {error}: {words}" if words else f"{host} answered {error}"


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After (seconds or a date), else SendGrid's X-RateLimit-Reset (a Unix time)."""
    given = headers.get("Retry-After")
    if given is not None:
        seconds = _number(given)
        if seconds is None:
            try:
                seconds = parsedate_to_datetime(given).timestamp() - time.time()
            except (TypeError, ValueError):
                return None
        return max(seconds, 0.0)
    reset = _number(headers.get("X-RateLimit-Reset", ""))
    return max(reset - time.time(), 0.0) if reset is not None else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def error_of_body(text: str) -> tuple[int | str | None, str]:
    """Read (code, message) from an error body of Twilio or SendGrid; (None, "") if it has none.

    Sources: Twilio `{"code", "message"}` and RFC 9457 `{"code", "title", "detail"}`;
    sendgrid-mail-v3.openapi.json, ErrorResponse: `{"errors": [{"message", "field"}]}`.
    """
    try:
        body = json.loads(text)
    except ValueError:
        return None, ""
    if not isinstance(body, dict):
        return None, ""
    errors = body.get("errors")
    if isinstance(errors, list) and "message" not in body:
        known = [one for one in errors if isinstance(one, dict) and one.get("message")]
        field = next((str(one["field"]) for one in known if one.get("field")), None)
        message = "; ".join(str(one["message"]) for one in known)
        return (None if field in (None, "null") else field), message
    code = body.get("code")
    words = [str(body[name]) for name in ("message", "title", "detail") if body.get(name)]
    return code if isinstance(code, (int, str)) else None, ": ".join(words)
