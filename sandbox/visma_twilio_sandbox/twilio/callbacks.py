"""Status callbacks: signed as Twilio signs, out of order and twice as Twilio may send them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import queue
import random
import threading
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urldefrag, urlsplit

import requests

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.calls import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from visma_twilio_sandbox.twilio.store import Message

API_VERSION = "2010-04-01"

_TIMEOUT = (5.0, 15.0)
_MAX_RETRIES = 5
_MAX_URL = 4000
_REPEATED = 0.25
_JOIN = 30


@dataclass(frozen=True)
class CallbackFailure:
    """A callback that nobody took: the HTTP status, or None and why there was no answer."""

    url: str
    sid: str
    message_status: str
    status: int | None
    reason: str


def sign(token: str, url: str, fields: Mapping[str, str]) -> str:
    """Compute X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted fields.

    Source: https://www.twilio.com/docs/usage/security#validating-requests.
    """
    text = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_callback_url(url: str) -> bool:
    """Tell whether Twilio takes `url`: whole, http(s), no _ in the host, not too long."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and "_" not in host
        and len(url) <= _MAX_URL
        and not any(letter.isspace() for letter in url)
    )


def fields_of(message: Message | Call) -> dict[str, str]:
    """Return what a callback tells of a message or a call.

    Source: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and
    https://www.twilio.com/docs/voice/api/call-resource#statuscallback.
    """
    if isinstance(message, Call):
        return _fields_of_call(message)
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.from_ or "",
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.messaging_service_sid:
        fields["MessagingServiceSid"] = message.messaging_service_sid
    if message.error_code is not None:
        fields["ErrorCode"] = str(message.error_code)
    if message.status in ("delivered", "undelivered"):
        fields["RawDlrDoneDate"] = message.date_updated.strftime("%y%m%d%H%M")
    return fields


def _fields_of_call(call: Call) -> dict[str, str]:
    fields = {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "CallbackSource": "call-progress-events",
        "Direction": "outbound-api",
        "From": call.from_,
        "Timestamp": format_datetime(call.date_updated),
        "To": call.to,
    }
    if call.start_time and call.end_time:
        seconds = int((call.end_time - call.start_time).total_seconds())
        fields["CallDuration"] = str(seconds)
    return fields


class Callbacks:
    """Sends callbacks from a thread of its own, so that no API answer waits for them.

    Each change of status is sent as it comes, except between `hold` and `release`: what came in
    between goes out shuffled, some of it twice.

    Args:
        seed: Decides the order and which are sent twice.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - decides the disorder only
        self._queue: queue.Queue[Message | Call | None] = queue.Queue()
        self._lock = threading.Lock()
        self._held: list[Message | Call] | None = None
        self._failures: list[CallbackFailure] = []
        self._thread: threading.Thread | None = None
        self._number = 0

    @property
    def failures(self) -> list[CallbackFailure]:
        """Callbacks that nobody took, oldest first."""
        with self._lock:
            return list(self._failures)

    def tell(self, message: Message | Call) -> None:
        """Send a callback about this status, if the message asks for callbacks."""
        if not message.status_callback:
            return
        if isinstance(message, Call) and message.event not in message.events:
            return
        with self._lock:
            if self._held is not None:
                self._held.append(message)
                return
        self._put(message)

    def hold(self) -> None:
        """Keep callbacks back until `release`."""
        with self._lock:
            self._held = []

    def release(self) -> None:
        """Send what was held back in disorder, and wait until every callback is sent."""
        with self._lock:
            held = self._held or []
            self._held = None
        held += [one for one in held if self._random.random() < _REPEATED]
        self._random.shuffle(held)
        for message in held:
            self._put(message)
        self._queue.join()

    def stop(self) -> None:
        """End the thread when it has sent what it has."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join(_JOIN)

    def _put(self, message: Message | Call) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="sandbox-callbacks", daemon=True
                )
                self._thread.start()
            self._queue.put(message)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                message = self._queue.get()
                try:
                    if message is None:
                        return
                    self._send(session, message)
                finally:
                    self._queue.task_done()

    def _send(self, session: requests.Session, message: Message | Call) -> None:
        """Send one callback, again as often as the URL's fragment (`#rc=5&rp=all`) allows."""
        url, fragment = urldefrag(message.status_callback or "")
        overrides = dict(parse_qsl(fragment))
        given = overrides.get("rc", "1")
        retries = min(int(given), _MAX_RETRIES) if given.isdecimal() else 1
        policy = overrides.get("rp", "ct").split(",")
        fields = fields_of(message)
        self._number += 1
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": f"sandbox-{self._number}",
            "X-Twilio-Signature": sign(credentials.AUTH_TOKEN, url, fields),
        }
        for attempt in range(retries + 1):
            status, kind, reason = _post(session, url, fields, headers)
            if kind is None:
                return
            if attempt == retries or not {kind, "all"} & set(policy):
                break
        failure = CallbackFailure(url, message.sid, message.status, status, reason)
        with self._lock:
            self._failures.append(failure)


def _post(
    session: requests.Session, url: str, fields: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int | None, str | None, str]:
    """Post once; returns (status, kind of failure as in `rp` or None, reason)."""
    try:
        answer = session.post(
            url, data=fields, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        )
    except requests.ReadTimeout as error:
        return None, "rt", str(error)
    except (requests.RequestException, ValueError) as error:
        return None, "ct", str(error)
    status = answer.status_code
    if answer.ok and status < 300:  # noqa: PLR2004 - 2xx is what counts as taken
        return status, None, ""
    return status, "5xx" if status >= 500 else "4xx", f"HTTP {status}"  # noqa: PLR2004
